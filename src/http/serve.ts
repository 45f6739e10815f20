import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, Middleware } from 'koa'
import { Failure } from '../core/failure.ts'
import type { Gate } from '../core/gate.ts'
import type { Gateway } from '../core/gateway.ts'
import type { Call } from '../core/model.ts'
import type { OpenRecord, Recorder } from '../core/recorder.ts'
import type { Dialect, HeaderLookup, StreamEncoder, Told } from '../dialects/dialect.ts'
import { bearerOf } from './bearer.ts'
import type { Body } from './body.ts'
import { whenCallerLeaves, whenDrained } from './leaving.ts'
import { answerHeaders, failureHeaders } from './response-headers.ts'
import { type FlatHeaders, sendText } from './send.ts'

export type ServeParts = {
  readonly gateway: Gateway
  readonly gate: Gate
  readonly recorder: Recorder
  readonly readBody: (ctx: Context) => Promise<Body>
  readonly slowThresholdMs: number
  readonly strict: boolean
  /** Where answers are refused because the gateway is shutting down. */
  readonly isDraining: () => boolean
}

/** One dialect over the gateway: reads the caller's request, answers it, and records how it went. */
export function serveDialect(dialect: Dialect, parts: ServeParts): Middleware {
  return async function serveCall(ctx) {
    ctx.respond = false
    const { res: response } = ctx
    const id = ctx.state['requestId'] as string
    using record = parts.recorder.open(id, dialect.name)
    const signal = whenCallerLeaves(response)
    const exchange: Exchange = { ...parts, ctx, dialect, record, signal }
    try {
      const call = await readCall(exchange, id)
      record.row.parseMs = record.elapsedMs()
      if (call.stream) await answerStream(exchange, call)
      else await answerWhole(exchange, call)
    } catch (thrown) {
      answerFailure(exchange, thrown)
    }
  }
}

/** A request's headers, as a dialect looks them up: one that came several times is one text. */
export function headerLookup({ headers }: IncomingMessage): HeaderLookup {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }
}

type Exchange = ServeParts & {
  readonly ctx: Context
  readonly dialect: Dialect
  readonly record: OpenRecord
  readonly signal: AbortSignal
}

async function readCall(exchange: Exchange, id: string): Promise<Call> {
  const { ctx, dialect, gate, record, strict } = exchange
  if (exchange.isDraining()) throw new Failure('draining', 'The gateway is shutting down.')
  const { principal, credential } = gate.admit(bearerOf(ctx.req))
  record.row.principal = principal
  const { text, value, bytes } = await exchange.readBody(ctx)
  record.row.requestBytes = bytes
  const deadlineMs = deadlineOf(ctx.req.headers['x-pandotate-timeout-ms'])
  const headers = headerLookup(ctx.req)
  return dialect.parse({ id, body: value, source: text, credential, deadlineMs, strict, headers })
}

function deadlineOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined
  const value = Number(header)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Failure('invalid_request', 'The header x-pandotate-timeout-ms must be a positive whole number.', {
    param: 'x-pandotate-timeout-ms',
  })
}

async function answerWhole(exchange: Exchange, call: Call): Promise<void> {
  const { ctx, dialect, gateway, record, signal } = exchange
  const reply = await gateway.reply(call, signal, record)
  const text = dialect.render(reply, call, toldOf(exchange))
  record.row.status = 200
  record.row.responseBytes = Buffer.byteLength(text)
  sendText(ctx.req, ctx.res, 200, text, answerHeaders(record))
}

async function answerStream(exchange: Exchange, call: Call): Promise<void> {
  const { ctx, dialect, gateway, record, signal } = exchange
  const encoder = dialect.encoder(call, () => toldOf(exchange))
  const stream = await gateway.stream(call, signal, record)
  const { res: response } = ctx
  record.row.status = 200
  response.writeHead(200, [...answerHeaders(record), ...eventStream])
  try {
    for await (const burst of stream.bursts) {
      const frames = encoder.encode(burst)
      if (frames !== '' && !write(record, response, frames)) await whenDrained(response, signal)
    }
    write(record, response, encoder.end(await stream.usage()))
    response.end()
  } catch (thrown) {
    breakOff(record, response, encoder, thrown)
  }
}

const eventStream: FlatHeaders = [
  'content-type',
  'text/event-stream; charset=utf-8',
  'cache-control',
  'no-cache, no-transform',
  'x-accel-buffering',
  'no',
  'x-content-type-options',
  'nosniff',
]

function write(record: OpenRecord, response: ServerResponse, frames: string): boolean {
  record.row.responseBytes += Buffer.byteLength(frames)
  return response.write(frames)
}

/** The status is out already: what went wrong is told in the stream, and no terminator follows. */
function breakOff(
  record: OpenRecord,
  response: ServerResponse,
  encoder: StreamEncoder,
  thrown: unknown,
): void {
  const failure = record.fail(thrown)
  if (response.destroyed) return
  write(record, response, encoder.fail(failure))
  response.end()
}

function answerFailure({ ctx, dialect, record }: Exchange, thrown: unknown): void {
  const failure = record.fail(thrown)
  const text = JSON.stringify(dialect.fail(failure))
  record.row.responseBytes = Buffer.byteLength(text)
  sendText(ctx.req, ctx.res, failure.status, text, failureHeaders(record, failure))
}

function toldOf({ record, slowThresholdMs }: Exchange): Told {
  return { slow: record.elapsedMs() > slowThresholdMs }
}
