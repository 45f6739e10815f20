import type { IncomingMessage } from 'node:http'
import type { Context, Middleware } from 'koa'
import type { OpenRecord, Recorder } from '../../core/account/recorder.ts'
import type { Authenticator, Principal } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import type { AnyCall, Call } from '../../core/model/call.ts'
import type { CallSignal } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import type { Idempotency } from '../../core/reuse/idempotency.ts'
import type { Asking, Dialect, HeaderLookup, Told } from '../../dialects/shared/dialect.ts'
import { apiKeyOf } from './api-key.ts'
import type { Body, BodyLimits, BodyReader } from './body.ts'
import type { Connections } from './connections.ts'
import { EventStream, type StreamLimits } from './event-stream.ts'
import { answerOnce } from './idempotency.ts'
import type { KeyBrake } from './key-brake.ts'
import { type OpenCalls, shuttingDown } from './open-calls.ts'
import { answerHeaders, failureHeaders } from './response-headers.ts'
import { sendText } from './send.ts'
import { type Admission, readHeld, type Shedding } from './shedding.ts'
import { enterAs } from './tenant-call.ts'
import { watchRest } from './write-stall.ts'

export type ServeParts = {
  readonly gateway: Gateway
  readonly gate: Authenticator
  readonly recorder: Recorder
  readonly openCalls: OpenCalls
  /** Undefined: Idempotency-Key is ignored. */
  readonly idempotency: Idempotency | undefined
  readonly readBody: BodyReader
  readonly limits: StreamLimits & Pick<BodyLimits, 'bodyBytes'>
  readonly shedding: Shedding
  readonly connections: Pick<Connections, 'admitted'>
  readonly brake: KeyBrake
  readonly slowThresholdMs: number
  readonly strict: boolean
  /** True when new calls are refused, because the gateway is shutting down. */
  readonly isDraining: () => boolean
}

/** One dialect over the gateway: reads the caller's request, answers it, and records how it went. */
export function serveDialect(dialect: Dialect, parts: ServeParts): Middleware {
  return async function serveCall(ctx) {
    ctx.respond = false
    const { res: response } = ctx
    const id = ctx.state['requestId'] as string
    if (dialect.requestIdHeader !== undefined) response.setHeader(dialect.requestIdHeader, id)
    // Neither this nor the admission by `using`: V8 makes a list for it, a quarter of a microsecond each for every
    // call.
    const record = parts.recorder.open(id, dialect.name)
    const exchange = openExchange(parts, { ctx, dialect, record, signal: parts.openCalls.open(response) })
    let admission: Admission | undefined
    try {
      const caller = letIn(exchange)
      admission = parts.shedding.admit(caller.id)
      const reading = readCall(exchange, caller, admission, id)
      await answerCall(exchange, reading instanceof Promise ? await reading : reading)
    } catch (thrown) {
      await answerFailure(exchange, thrown)
    } finally {
      admission?.[Symbol.dispose]()
      record[Symbol.dispose]()
    }
  }
}

function answerCall(exchange: Exchange, { call, text }: ReadCall<Call>): Promise<void> {
  const { record } = exchange
  record.row.parseMs = record.elapsedMs()
  const once = answerOnce(exchange, call, text, () => toldOf(exchange))
  if (once === undefined) return answer(exchange, call)
  // The work may go on without its caller: it is still one of the calls under way, and in this record.
  return answer({ ...exchange, ...once }, call).finally(() => once.work)
}

/** A request's headers, as a dialect looks them up: one that came several times is one text. */
export function headerLookup({ headers }: IncomingMessage): HeaderLookup {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }
}

/** One request being answered. */
export type Exchange<Spoken extends Asking<AnyCall> = Dialect> = Asked<Spoken> &
  Pick<ServeParts, 'gateway' | 'idempotency'> & { readonly parts: ServeParts }

type Asked<Spoken extends Asking<AnyCall>> = {
  readonly ctx: Context
  readonly dialect: Spoken
  readonly record: OpenRecord
  readonly signal: CallSignal
}

/** The parts are many and the same for all: they are not copied for each. */
export function openExchange<Spoken extends Asking<AnyCall>>(
  parts: ServeParts,
  { ctx, dialect, record, signal }: Asked<Spoken>,
): Exchange<Spoken> {
  return { ctx, dialect, record, signal, gateway: parts.gateway, idempotency: parts.idempotency, parts }
}

/** A call, and the text of the body it was read from. */
export type ReadCall<Asked extends AnyCall> = { readonly call: Asked; readonly text: string }

/** Who calls. Throws a Failure where nobody is let in any more, or the caller is not. */
export function letIn({ ctx, record, parts }: Exchange<Asking<AnyCall>>): Principal {
  if (parts.isDraining()) throw shuttingDown()
  const caller = parts.gate.admit(apiKeyOf(ctx.req))
  record.row.principal = caller.name
  record.row.owner = caller.id
  parts.connections.admitted(ctx.req.socket)
  return caller
}

/**
 * The caller's call, once its body is read: at once, where all of that is there. Throws a Failure, and rejects with one.
 */
export function readCall<Asked extends AnyCall>(
  exchange: Exchange<Asking<Asked>>,
  caller: Principal,
  admission: Admission,
  id: string,
): ReadCall<Asked> | Promise<ReadCall<Asked>> {
  const { ctx, parts } = exchange
  const held = readHeld(ctx, admission, parts.readBody)
  const read = (body: Body) => {
    const made = entered(exchange, body, caller, id)
    if (typeof body.json.value['previous_response_id'] !== 'string') return made
    return made instanceof Promise
      ? made.then((one) => unpackedIn(admission, one))
      : unpackedIn(admission, made)
  }
  return held instanceof Promise ? held.then(read) : read(held)
}

/** What goes on from what is kept counts by all of it: a few words may stand for megabytes. */
function unpackedIn<Asked extends AnyCall>(admission: Admission, read: ReadCall<Asked>): ReadCall<Asked> {
  admission.hold(Buffer.byteLength(read.call.body.text))
  return read
}

/** The call that was read, as its caller's key allows it. */
function entered<Asked extends AnyCall>(
  exchange: Exchange<Asking<Asked>>,
  body: Body,
  caller: Principal,
  id: string,
): ReadCall<Asked> | Promise<ReadCall<Asked>> {
  const read = parsed(exchange, body, caller, id)
  const { tenant } = caller
  if (tenant === undefined) return read
  const call = enterAs(tenant, read.call, exchange.record, headerLookup(exchange.ctx.req))
  return call instanceof Promise ? call.then((own) => ({ ...read, call: own })) : { ...read, call }
}

function parsed<Asked extends AnyCall>(
  { ctx, dialect, record, parts }: Exchange<Asking<Asked>>,
  { json, bytes }: Body,
  { id: tenant, credential }: Principal,
  id: string,
): ReadCall<Asked> {
  const { strict } = parts
  record.row.requestBytes = bytes
  const deadlineMs = deadlineOf(ctx.req.headers['x-pandotate-timeout-ms'])
  const headers = headerLookup(ctx.req)
  const call = dialect.parse({
    id,
    body: withModelOfPath(json, ctx),
    tenant,
    credential,
    deadlineMs,
    strict,
    headers,
  })
  if (call.dropped !== undefined) for (const name of call.dropped) record.row.dropped.add(name)
  if (call.converted !== undefined) for (const name of call.converted) record.row.converted.add(name)
  return { call, text: json.text }
}

/** The model that the path names, as Azure's do, is the one that is asked for. */
function withModelOfPath(body: JsonText, { state }: Context): JsonText {
  const model: unknown = state['model']
  return model === undefined || model === body.value['model'] ? body : body.with({ model })
}

function deadlineOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined
  const value = Number(header)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Failure('invalid_request', 'The header x-pandotate-timeout-ms must be a positive whole number.', {
    param: 'x-pandotate-timeout-ms',
  })
}

function answer(exchange: Exchange, call: Call): Promise<void> {
  return call.stream ? answerStream(exchange, call) : answerWhole(exchange, call)
}

function answerWhole(exchange: Exchange, call: Call): Promise<void> {
  const { ctx, dialect, gateway, record, signal, parts } = exchange
  return gateway.reply(call, signal, record).then((reply) => {
    const text = dialect.render(reply, call, toldOf(exchange))
    record.row.status = 200
    record.row.responseBytes = Buffer.byteLength(text)
    const headers = answerHeaders(record)
    return record.closeThen(() => {
      sendText(ctx.req, ctx.res, 200, text, headers)
      watchRest(ctx.res, parts.limits.writeStallMs)
    })
  })
}

async function answerStream(exchange: Exchange, call: Call): Promise<void> {
  const { ctx, dialect, gateway, record, signal, parts } = exchange
  const encoder = dialect.encoder(call, () => toldOf(exchange))
  const idle = () => encoder.idle?.(record.row.startedEpochMs)
  using events = new EventStream({ response: ctx.res, record, signal, limits: parts.limits, idle })
  try {
    const stream = await gateway.stream(call, signal, record)
    events.begin()
    for await (const burst of stream.bursts) {
      const frames = encoder.encode(burst)
      if (frames !== '' && !events.write(frames)) await events.drained()
    }
    await events.end(encoder.end(await stream.usage()))
  } catch (thrown) {
    if (!events.hasBegun) throw thrown
    // The status is out already: what went wrong is told in the stream, and no terminator follows.
    await events.end(encoder.fail(record.fail(thrown)))
  }
}

/** Answers with the error that was thrown, and notes it. */
export function answerFailure(
  { ctx, dialect, record, parts }: Exchange<Asking<AnyCall>>,
  thrown: unknown,
): void | Promise<void> {
  const failure = record.fail(parts.brake(ctx.req, thrown))
  const text = JSON.stringify(dialect.fail(failure, record.row.id))
  record.row.responseBytes = Buffer.byteLength(text)
  const headers = failureHeaders(record, failure)
  return record.closeThen(() => sendText(ctx.req, ctx.res, failure.status, text, headers))
}

function toldOf({ record, parts }: Exchange): Told {
  return { slow: record.elapsedMs() > parts.slowThresholdMs }
}
