import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Middleware } from 'koa'

export type CorsSettings = {
  /** The allowed origins in the form that browsers send: `https://app.example`. `*` allows any. */
  readonly origins: readonly string[]
}

/**
 * Allows pages of these origins to read the gateway's answers, including errors and streams. Browsers hide the answers
 * from pages of other origins.
 */
export function allowOrigins({ origins }: CorsSettings): Middleware {
  const allowed = new Set(origins)
  const isAnyAllowed = allowed.has('*')
  return function allowOrigin(ctx, next) {
    const { req: request, res: response } = ctx
    const { origin } = request.headers
    // A cache must not serve an answer for another origin.
    if (!isAnyAllowed) response.setHeader('vary', 'origin')
    if (origin === undefined || !(isAnyAllowed || allowed.has(origin))) return next()
    response.setHeader('access-control-allow-origin', isAnyAllowed ? '*' : origin)
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      ctx.respond = false
      answerPreflight(response, request.headers, ctx.state['requestId'] as string)
      return
    }
    response.setHeader('access-control-expose-headers', exposedHeaders)
    return next()
  }
}

/** The response headers that a page may read, beside the default ones. */
const exposedHeaders = [
  'x-request-id',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'idempotent-replayed',
  ...['provider', 'deployment', 'attempts', 'overhead-ms', 'cost-usd', 'cache', 'dropped-params'].map(
    (name) => `x-pandotate-${name}`,
  ),
  'x-pandotate-estimated',
].join(', ')

/** The request headers that SDKs send in browsers, by name and by prefix. */
const sentHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'api-key',
  'x-api-key',
  'idempotency-key',
  // OpenAI's SDK and the AI SDK set `user-agent`; browsers other than Chrome require permission for it.
  'user-agent',
  'x-client-request-id',
])
const sentPrefixes = ['x-stainless-', 'openai-', 'anthropic-', 'x-pandotate-']

/** Answers a preflight with success for any path. The request itself reports errors. */
function answerPreflight(response: ServerResponse, headers: IncomingHttpHeaders, requestId: string): void {
  const requested = headers['access-control-request-headers'] ?? ''
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
    'access-control-allow-headers': allowedHeaders(requested),
    'access-control-max-age': maxAgeSeconds,
    'x-request-id': requestId,
  })
  response.end()
}

/** Two hours, the maximum in Chrome. */
const maxAgeSeconds = '7200'

/**
 * The allowed headers: the requested ones that are known, and those that every call needs. `*` would not include
 * `authorization`.
 */
function allowedHeaders(requested: string): string {
  const names = requested.split(',').map((name) => name.trim().toLowerCase())
  const wanted = names.filter((name) => headerName.test(name) && mayBeSent(name))
  return [...new Set(['authorization', 'content-type', ...wanted])].join(', ')
}

const headerName = /^[\w-]{1,100}$/

function mayBeSent(name: string): boolean {
  return sentHeaders.has(name) || sentPrefixes.some((prefix) => name.startsWith(prefix))
}
