import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Middleware } from 'koa'
import { Failure } from '../../core/model/failure.ts'

export type Forwarding = {
  /** The Unix socket of the process that answers. */
  readonly socketPath: string
  readonly isForwarded: (path: string) => boolean
}

/** The header that tells the other process the caller's scheme (`http` or `https`) and address. */
export const callerHeader = 'x-gateway-caller'

/** Forwards requests to another process of this gateway, and returns its answers unchanged. */
export function forwardTo({ socketPath, isForwarded }: Forwarding): Middleware {
  return function forward(ctx, next) {
    if (!isForwarded(ctx.path)) return next()
    return pass(ctx.req, ctx.res, socketPath).then((answer) => {
      ctx.respond = false
      send(answer, ctx.res)
    })
  }
}

/** Resolves with the head of the answer. */
function pass(
  incoming: IncomingMessage,
  response: ServerResponse,
  socketPath: string,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { method, url: path, socket } = incoming
  const encrypted = 'encrypted' in socket && socket.encrypted === true
  const caller = `${encrypted ? 'https' : 'http'} ${socket.remoteAddress ?? ''}`
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers
  // Without a length, Node.js would announce a chunked body.
  const empty = length === undefined && encoding === undefined ? ['content-length', '0'] : []
  const headers = [...forwardedHeaders(incoming.rawHeaders), ...empty, callerHeader, caller]
  const outgoing = request({ socketPath, method, path, headers, agent: false, setHost: false })
  outgoing.once('response', resolve)
  outgoing.once('error', (cause) => {
    const message = 'The gateway cannot answer this request at the moment.'
    reject(new Failure('shed', message, { retryAfterMs: 1000, cause }))
  })
  response.once('close', () => outgoing.destroy())
  incoming.pipe(outgoing)
  return promise
}

function send(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, forwardedHeaders(answer.rawHeaders))
  answer.pipe(response)
  // A truncated answer must not look complete, so this connection is closed too.
  answer.once('close', () => {
    if (!answer.complete) response.destroy()
  })
}

/** The headers without those of the connection and those that callers may not set. */
function forwardedHeaders(raw: readonly string[]): string[] {
  return raw.filter((_, at) => !excluded.has((raw[at - (at % 2)] ?? '').toLowerCase()))
}

const excluded: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'expect', 'upgrade', callerHeader])
