import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Middleware } from 'koa'
import { Failure } from '../../core/model/failure.ts'

export type Forwarding = {
  /** The Unix socket of the answering process. */
  readonly socketPath: string
  readonly isForwarded: (path: string) => boolean
}

/** Tells the other process about the caller: HTTP or HTTPS, and the address. */
export const callerHeader = 'x-gateway-caller'

/** Forwards requests that another process of this gateway answers, and its answers, unchanged. */
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
  asked: IncomingMessage,
  response: ServerResponse,
  socketPath: string,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { method, url: path, socket } = asked
  const encrypted = 'encrypted' in socket && socket.encrypted === true
  const caller = `${encrypted ? 'https' : 'http'} ${socket.remoteAddress ?? ''}`
  const { 'content-length': length, 'transfer-encoding': encoding } = asked.headers
  // Otherwise Node.js would announce a body.
  const empty = length === undefined && encoding === undefined ? ['content-length', '0'] : []
  const headers = [...passedOn(asked.rawHeaders), ...empty, callerHeader, caller]
  const passing = request({ socketPath, method, path, headers, agent: false, setHost: false })
  passing.once('response', resolve)
  passing.once('error', (cause) => {
    const message = 'The gateway cannot answer this at the moment.'
    reject(new Failure('shed', message, { retryAfterMs: 1000, cause }))
  })
  response.once('close', () => passing.destroy())
  asked.pipe(passing)
  return promise
}

function send(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, passedOn(answer.rawHeaders))
  answer.pipe(response)
  // If it breaks off, this side does too: a part must not look like the whole.
  answer.once('close', () => {
    if (!answer.complete) response.destroy()
  })
}

/** Except connection headers, and those that callers may not set. */
function passedOn(raw: readonly string[]): string[] {
  return raw.filter((_, at) => !own.has((raw[at - (at % 2)] ?? '').toLowerCase()))
}

const own: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'expect', 'upgrade', callerHeader])
