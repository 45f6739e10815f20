import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Authenticator } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import type { Tenant } from '../../core/model/tenant.ts'
import { type ListedModel, type Router as ModelRouter, unknownModel } from '../../core/plan/router.ts'
import {
  type DescribedModel,
  modelNameOf,
  renderAnthropicModel,
  renderAnthropicModels,
  renderModel,
  renderModels,
} from '../../dialects/shared/models.ts'
import { sendJson } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'

/** The paths that list models. */
export const modelPaths = ['/v1/models', '/inference/models', '/inference/v1/models'] as const

export type ModelsParts = {
  readonly gateway: Pick<Gateway, 'models' | 'ownerOf' | 'deployments'>
  readonly router: Pick<ModelRouter, 'routeOf'>
  readonly gate: Authenticator
  /** The gateway's start, which is reported as the creation time of every model. */
  readonly startedEpochSeconds: number
}

/**
 * `GET /models` and `GET /models/{id}` under `/v1`, `/inference` and `/inference/v1`. Slashes in the id may be encoded
 * or not. It lists the models that are known now; no request is sent to a provider.
 */
export function serveModels(router: Router, parts: ModelsParts): void {
  const { gateway, gate, startedEpochSeconds } = parts
  router.get(/^\/(?:v1|inference|inference\/v1)\/models$/, (ctx) => {
    const { tenant } = gate.admit(apiKeyOf(ctx.req))
    const reports = reportsOf(parts)
    const listed = gateway.models().filter(({ id }) => tenant?.allowsModel(id) !== false)
    const models = listed.map((model) => described(model, parts, reports))
    const render = isForAnthropic(ctx) ? renderAnthropicModels : renderModels
    reply(ctx, render(models, startedEpochSeconds))
  })
  router.get(/^\/(?:v1|inference|inference\/v1)\/models\/./, (ctx) => {
    const { tenant } = gate.admit(apiKeyOf(ctx.req))
    const id = modelNameOf(ctx.path.slice(ctx.path.indexOf(before) + before.length))
    if (tenant?.allowsModel(id) === false) throw unknownModel(id)
    const render = isForAnthropic(ctx) ? renderAnthropicModel : renderModel
    reply(ctx, render(described(findModel(parts, id, tenant), parts, reportsOf(parts)), startedEpochSeconds))
  })
}

/** Anthropic's clients send this header with every request. */
function isForAnthropic({ req }: Context): boolean {
  return req.headers['anthropic-version'] !== undefined
}

const before = '/models/'

type Reports = ReadonlyMap<string, DeploymentReport>

function reportsOf({ gateway }: ModelsParts): Reports {
  return new Map(gateway.deployments().map((report) => [keyOf(report.id, report.model), report]))
}

function described(model: ListedModel, { router }: ModelsParts, reports: Reports): DescribedModel {
  const deployments = router.routeOf(model.id).deployments.map((deployment) => ({
    deployment: deployment.forModel?.(model.id) ?? deployment,
    // For a model that was never called, only the health of the whole deployment is known.
    report: reports.get(keyOf(deployment.id, model.id)) ?? reports.get(keyOf(deployment.id, undefined)),
  }))
  return { ...model, deployments }
}

function keyOf(deploymentId: string, model: string | undefined): string {
  return JSON.stringify([deploymentId, model])
}

/** A listed model, or one that a route's pattern matches. */
function findModel({ gateway }: ModelsParts, id: string, tenant: Tenant | undefined): ListedModel {
  const models = gateway.models().filter((model) => tenant?.allowsModel(model.id) !== false)
  const listed = models.find((model) => model.id === id)
  if (listed !== undefined) return listed
  const ownedBy = gateway.ownerOf(id)
  if (ownedBy === undefined) {
    throw unknownModel(
      id,
      models.map((model) => model.id),
    )
  }
  return { id, ownedBy }
}

function reply(ctx: Context, body: ReturnType<typeof renderModels>): void {
  ctx.respond = false
  sendJson(ctx.req, ctx.res, 200, body, ['x-request-id', ctx.state['requestId'] as string])
}
