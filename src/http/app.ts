import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import type { AnyCall } from '../core/model/call.ts'
import { type Dialect, everyPrefix, type RelayDialect, type WireFormat } from '../dialects/shared/dialect.ts'
import type { ServeParts } from './call/answer/exchange.ts'
import { createRouteBodyReader } from './call/route-body.ts'
import { serveDialect, serveRelay } from './call/serve.ts'
import { refuseForeignActions } from './middleware/admin-actions.ts'
import { mapAzurePaths } from './middleware/azure.ts'
import { allowOrigins, type CorsSettings } from './middleware/cors.ts'
import { answerErrors } from './middleware/errors.ts'
import type { HostCheck } from './middleware/known-hosts.ts'
import { refuseAmbiguous } from './middleware/plain-requests.ts'
import { assignRequestId, type NewId } from './middleware/request-id.ts'
import { type AdminParts, serveAdmin } from './routes/admin.ts'
import { type ConsoleParts, serveConsole } from './routes/console.ts'
import { type CountTokensParts, serveCountTokens } from './routes/count-tokens.ts'
import { type ExplainParts, serveExplain } from './routes/explain.ts'
import { type GenerationParts, serveGeneration } from './routes/generation.ts'
import { type HomeParts, serveHome } from './routes/home.ts'
import { type ModelsParts, modelPaths, serveModels } from './routes/models.ts'
import { type StoredResponsesParts, serveStoredResponses } from './routes/stored-responses.ts'
import { type SystemParts, serveSystem } from './routes/system.ts'
import { serveTokenize, type TokenizeParts } from './routes/tokenize.ts'
import { serveWake, type WakeParts } from './routes/wake.ts'

export type AppParts = ServeParts &
  ModelsParts &
  TokenizeParts &
  ExplainParts &
  CountTokensParts &
  GenerationParts &
  StoredResponsesParts &
  WakeParts &
  AdminParts &
  ConsoleParts &
  HomeParts &
  SystemParts & {
    readonly dialects: readonly Dialect[]
    readonly relays: readonly RelayDialect[]
    readonly newId: NewId
    /** If `origins` is empty, pages of other origins cannot read answers. */
    readonly cors: CorsSettings
    readonly hosts: HostCheck
    /** Forwards requests that another process answers. Absent: there is only one process. */
    readonly forward?: Middleware | undefined
  }

/** The whole HTTP surface, in the order in which a request passes through it. */
export function createApp(parts: AppParts): Koa {
  const app = new LightKoa()
  // Errors are answered and recorded; Koa would print their stacks.
  app.silent = true
  const calls = callRoutes(parts)
  const readBody = createRouteBodyReader(parts.readBody, parts.shedding)
  const router = createRouter({ ...parts, readBody, sessions: parts.console?.sessions }, calls)
  app.use(assignRequestId(parts.newId))
  if (parts.cors.origins.length > 0) app.use(allowOrigins(parts.cors))
  app.use(answerErrors([...parts.dialects, ...parts.relays], () => pathsOf(router, calls), parts.brake))
  app.use(refuseAmbiguous(parts.hosts))
  // First half: calls, on the hot path. Second half: everything else, as plain Koa routes.
  app.use(serveCallsByPath(calls))
  if (parts.forward !== undefined) app.use(parts.forward)
  app.use(mapAzurePaths())
  app.use(refuseForeignActions(parts.cors))
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

/** The route of calls that are posted to one path under several prefixes. */
type CallRoute = { readonly prefixes: readonly string[]; readonly path: string; readonly handler: Middleware }

function callRoutes(parts: AppParts): readonly CallRoute[] {
  return [
    ...parts.dialects.map((dialect) => ({ ...placeOf(dialect), handler: serveDialect(dialect, parts) })),
    ...parts.relays.map((relay) => ({ ...placeOf(relay), handler: serveRelay(relay, parts) })),
  ]
}

function placeOf({ prefixes, path }: WireFormat<AnyCall>): Pick<CallRoute, 'prefixes' | 'path'> {
  return { prefixes, path }
}

/**
 * Nearly every request is a call with an exact path. One map look-up finds its handler; the router would try its routes
 * one by one.
 */
function serveCallsByPath(routes: readonly CallRoute[]): Middleware {
  const handlers = new Map(
    routes.flatMap(({ prefixes, path, handler }) =>
      prefixes.map((prefix) => [prefix + path, handler] as const),
    ),
  )
  return function serveCallByPath(ctx, next) {
    const handler = ctx.method === 'POST' ? handlers.get(ctx.path) : undefined
    return handler === undefined ? next() : handler(ctx, next)
  }
}

/** All exact paths. The nearest one is suggested for an unknown path. */
function* pathsOf(router: Router, calls: readonly CallRoute[]): Iterable<string> {
  for (const { prefixes, path } of calls) for (const prefix of prefixes) yield prefix + path
  yield* modelPaths
  for (const { path } of router.stack) if (typeof path === 'string') yield path
}

function createRouter(parts: AppParts, calls: readonly CallRoute[]): Router {
  // Paths match exactly, so that a proxy's rule for `/v1/models` cannot be evaded with `/V1/Models/`.
  const router = new Router({ sensitive: true, strict: true })
  // Calls are routed here too, for Azure's paths and for the allowed methods of a path.
  for (const { prefixes, path, handler } of calls) router.post(anyOf(prefixes, path), handler)
  for (const prefix of everyPrefix) {
    serveCountTokens(router, prefix, parts)
    serveStoredResponses(router, prefix, parts)
  }
  for (const prefix of ['/v1', '/inference/v1']) {
    serveExplain(router, prefix, parts)
    serveGeneration(router, prefix, parts)
  }
  serveModels(router, parts)
  serveTokenize(router, parts)
  serveWake(router, parts)
  serveAdmin(router, parts)
  serveConsole(router, parts)
  serveHome(router, parts)
  serveSystem(router, parts)
  return router
}

function anyOf(prefixes: readonly string[], path: string): RegExp {
  return new RegExp(`^(?:${prefixes.map(RegExp.escape).join('|')})${RegExp.escape(path)}$`)
}

/**
 * Koa without its listener for the end of each response (on-finished), which costs 2 KB per call. Handlers set
 * `ctx.respond = false`, write the response themselves, and use Node's own events.
 */
export class LightKoa extends Koa {
  /** Overrides the method that Koa's `callback` calls for each request. */
  handleRequest(ctx: Context, answer: (ctx: Context) => Promise<unknown>): Promise<unknown> {
    ctx.res.statusCode = 404
    return answer(ctx).catch((thrown: Error) => ctx.onerror(thrown))
  }
}
