import type Router from '@koa/router'
import type { Authenticator } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import { outcomeOf, type Probe } from '../../core/health/probe.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Deployment, Route } from '../../core/model/ports.ts'
import type { Router as ModelRouter } from '../../core/plan/router.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { sendJson } from '../call/send.ts'
import { knownPriceBody, presenceBody } from './price.ts'

export type DeploymentsParts = {
  readonly gateway: Pick<Gateway, 'deployments'>
  readonly router: Pick<ModelRouter, 'routes'>
  readonly gate: Authenticator
}

/**
 * `GET /admin/api/deployments`: what every deployment costs and how it is doing, and after each that runs models by
 * the caller's
 * spelling, those that were last asked for. Asks for a management key, where keys are configured.
 */
export function serveDeployments(
  router: Router,
  { gateway, router: { routes }, gate }: DeploymentsParts,
): void {
  router.get('/admin/api/deployments', (ctx) => {
    gate.admitManager(apiKeyOf(ctx.req), 'read')
    ctx.respond = false
    const headers = ['x-request-id', ctx.state['requestId'] as string]
    const places = placesOf(routes)
    const data = gateway.deployments().map((report) => rendered(report, places.get(report.id)))
    sendJson(ctx.req, ctx.res, 200, { data }, headers)
  })
}

/** Of one that several routes have, the first whose price is known: an operator may price it in one of them alone. */
function placesOf(routes: readonly Route[]): ReadonlyMap<string, Deployment> {
  const places = new Map<string, Deployment>()
  for (const { deployments } of routes) {
    for (const deployment of deployments) {
      const before = places.get(deployment.id)
      if (
        before === undefined ||
        (before.priceOrigin === undefined && deployment.priceOrigin !== undefined)
      ) {
        places.set(deployment.id, deployment)
      }
    }
  }
  return places
}

/** What is not known is null. */
function rendered(report: DeploymentReport, place: Deployment | undefined): JsonObject {
  const { id, model } = report
  const deployment = model === undefined ? place : (place?.forModel?.(model) ?? place)
  return {
    id,
    model: model ?? null,
    price: deployment === undefined ? null : knownPriceBody(deployment.price, deployment.priceOrigin),
    presence: presenceBody(deployment?.presence),
    breaker: report.breaker,
    since_epoch_ms: report.sinceEpochMs,
    failures_in_a_row: report.failuresInARow,
    opens_until_epoch_ms: report.opensUntilEpochMs ?? null,
    share: report.share,
    limited_until_epoch_ms: report.limitedUntilEpochMs ?? null,
    success_rate: report.successRate,
    first_token_ms: report.firstTokenMs ?? null,
    tokens_per_second: report.tokensPerSecond ?? null,
    in_flight: report.inFlight,
    attempts: report.attempts,
    answered: report.answered,
    failed: report.failed,
    limited: report.limited,
    last_failure: report.lastFailure ?? null,
    probe: report.probe === undefined ? null : renderedProbe(report.probe),
  }
}

/** The failure's kind alone: its message may repeat what an upstream said. */
function renderedProbe(probe: Probe): JsonObject {
  const { atEpochMs, answer } = probe
  const outcome = outcomeOf(probe)
  const isTold = !(answer instanceof Failure)
  return {
    at_epoch_ms: atEpochMs,
    outcome,
    ready: outcome === 'ready',
    queued: isTold ? (answer.queued ?? null) : null,
    idle_workers: isTold ? (answer.idleWorkers ?? null) : null,
    busy_workers: isTold ? (answer.busyWorkers ?? null) : null,
    failure: isTold ? null : answer.kind,
  }
}
