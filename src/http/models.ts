import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Gate } from '../core/gate.ts'
import type { Gateway } from '../core/gateway.ts'
import { type ListedModel, unknownModel } from '../core/router.ts'
import { modelNameOf, renderModel, renderModels } from '../dialects/models.ts'
import { bearerOf } from './bearer.ts'
import { sendJson } from './send.ts'

export type ModelsParts = {
  readonly gateway: Gateway
  readonly gate: Gate
  /** Every model bears the time the gateway started: none is older here. */
  readonly startedEpochSeconds: number
}

/** `GET {prefix}/models`, and `GET {prefix}/models/{id}` whose id may hold slashes, encoded or not. */
export function serveModels(router: Router, prefix: string, parts: ModelsParts): void {
  const { gateway, gate, startedEpochSeconds } = parts
  const one = `${prefix}/models/`
  router.get(`${prefix}/models`, (ctx) => {
    gate.admit(bearerOf(ctx.req))
    reply(ctx, renderModels(gateway.models(), startedEpochSeconds))
  })
  router.get(`${one}*id`, (ctx) => {
    gate.admit(bearerOf(ctx.req))
    reply(ctx, renderModel(findModel(gateway, modelNameOf(ctx.path.slice(one.length))), startedEpochSeconds))
  })
}

/** A model that is listed, or one that a pattern of the routes would take. */
function findModel(gateway: Gateway, id: string): ListedModel {
  const listed = gateway.models().find((model) => model.id === id)
  if (listed !== undefined) return listed
  const ownedBy = gateway.ownerOf(id)
  if (ownedBy === undefined) throw unknownModel(id)
  return { id, ownedBy }
}

function reply(ctx: Context, body: ReturnType<typeof renderModels>): void {
  ctx.respond = false
  sendJson(ctx.req, ctx.res, 200, body, ['x-request-id', ctx.state['requestId'] as string])
}
