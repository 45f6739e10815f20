import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Middleware } from 'koa'

export type CorsSettings = {
  /** As browsers send them: `https://app.example`; `*` is any. */
  readonly origins: readonly string[]
}

/**
 * Lets pages of these origins call the gateway and read its answers, errors and streams included. A page of another
 * origin gets the answer that anyone gets, which its browser keeps from it.
 */
export function allowOrigins({ origins }: CorsSettings): Middleware {
  const allowed = new Set(origins)
  const isAnyAllowed = allowed.has('*')
  return function allowOrigin(ctx, next) {
    const { req: request, res: response } = ctx
    const { origin } = request.headers
    // A cache must not give one origin the answer of another, nor of a request without any.
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

/** What a page may read of an answer, beside what it always may. */
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

/** What browsers' SDKs send: by name, and by what the name begins with. */
const sentHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'api-key',
  'x-api-key',
  'idempotency-key',
  // OpenAI's SDK and the AI SDK set it; browsers but Chrome let them, and ask.
  'user-agent',
  'x-client-request-id',
])
const sentPrefixes = ['x-stainless-', 'openai-', 'anthropic-', 'x-pandotate-']

/** What a page asks beforehand is answered for any path: what is wrong with that is told by the call itself. */
function answerPreflight(response: ServerResponse, headers: IncomingHttpHeaders, requestId: string): void {
  const asked = headers['access-control-request-headers'] ?? ''
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
    'access-control-allow-headers': acceptedOf(asked),
    'access-control-max-age': maxAgeSeconds,
    'x-request-id': requestId,
  })
  response.end()
}

/** Two hours, the most Chrome takes. */
const maxAgeSeconds = '7200'

/**
 * Those asked for that may be sent, and those that are sent with every call: `*` would not stand for `authorization`.
 */
function acceptedOf(asked: string): string {
  const names = asked.split(',').map((name) => name.trim().toLowerCase())
  const wanted = names.filter((name) => headerName.test(name) && mayBeSent(name))
  return [...new Set(['authorization', 'content-type', ...wanted])].join(', ')
}

const headerName = /^[\w-]{1,100}$/

function mayBeSent(name: string): boolean {
  return sentHeaders.has(name) || sentPrefixes.some((prefix) => name.startsWith(prefix))
}
