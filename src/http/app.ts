import Router from '@koa/router'
import Koa from 'koa'
import type { Dialect, RelayDialect } from '../dialects/dialect.ts'
import { takeAzurePaths } from './azure.ts'
import { allowOrigins, type CorsSettings } from './cors.ts'
import { type CountTokensParts, serveCountTokens } from './count-tokens.ts'
import { type DeploymentsParts, serveDeployments } from './deployments.ts'
import { answerErrors } from './errors.ts'
import { type ExplainParts, serveExplain } from './explain.ts'
import { type GenerationParts, serveGeneration } from './generation.ts'
import { identify, type NewId } from './identify.ts'
import { type ModelsParts, serveModels } from './models.ts'
import { serveRelay } from './relay.ts'
import { type ServeParts, serveDialect } from './serve.ts'
import { type StoredResponsesParts, serveStoredResponses } from './stored-responses.ts'
import { type SystemParts, serveSystem } from './system.ts'
import { serveTokenize, type TokenizeParts } from './tokenize.ts'
import { serveWake, type WakeParts } from './wake.ts'

export type AppParts = ServeParts &
  ModelsParts &
  TokenizeParts &
  ExplainParts &
  CountTokensParts &
  GenerationParts &
  DeploymentsParts &
  StoredResponsesParts &
  WakeParts &
  SystemParts & {
    readonly dialects: readonly Dialect[]
    readonly relays: readonly RelayDialect[]
    readonly newId: NewId
    /** Without origins, no page of another origin may read an answer. */
    readonly cors: CorsSettings
  }

/** The whole of the HTTP surface, in the order a request meets it. */
export function createApp(parts: AppParts): Koa {
  const app = new Koa()
  // What goes wrong has been answered and recorded; Koa's own habit is to print stacks.
  app.silent = true
  const router = createRouter(parts)
  app.use(identify(parts.newId))
  if (parts.cors.origins.length > 0) app.use(allowOrigins(parts.cors))
  app.use(answerErrors())
  app.use(takeAzurePaths())
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

function createRouter(parts: AppParts): Router {
  // Exact paths: `/V1/Models/` must never reach what a rule for `/v1/models` guards.
  const router = new Router({ sensitive: true, strict: true })
  for (const dialect of parts.dialects) {
    const handler = serveDialect(dialect, parts)
    // One pattern for all prefixes: the router tries its routes one by one, for every request.
    router.post(anyOf(dialect.prefixes, dialect.path), handler)
  }
  for (const relay of parts.relays) router.post(anyOf(relay.prefixes, relay.path), serveRelay(relay, parts))
  for (const prefix of ['/v1', '/inference', '/inference/v1']) {
    serveCountTokens(router, prefix, parts)
    serveStoredResponses(router, prefix, parts)
  }
  for (const prefix of ['/v1', '/inference/v1']) {
    serveExplain(router, prefix, parts)
    serveGeneration(router, prefix, parts)
  }
  serveModels(router, parts)
  serveTokenize(router, parts)
  serveDeployments(router, parts)
  serveWake(router, parts)
  serveSystem(router, parts)
  return router
}

function anyOf(prefixes: readonly string[], path: string): RegExp {
  return new RegExp(`^(?:${prefixes.map(RegExp.escape).join('|')})${RegExp.escape(path)}$`)
}
