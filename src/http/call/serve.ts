import type { Context, Middleware } from 'koa'
import type { OpenRecord } from '../../core/account/open-record.ts'
import type { Principal } from '../../core/authenticate.ts'
import type { AnyCall } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import type { Tenant } from '../../core/model/tenant.ts'
import {
  type Dialect,
  parseWhole,
  type RelayDialect,
  type WireFormat,
} from '../../dialects/shared/dialect.ts'
import { type Answerer, callAnswerer, relayAnswerer } from './answer/answer.ts'
import { Exchange, type ServeParts } from './answer/exchange.ts'
import { answerUnderKey, idempotencyKeyOf } from './answer/keyed-answer.ts'
import { failureHeaders } from './answer/response-headers.ts'
import { sendText } from './answer/send.ts'
import { apiKeyOf } from './api-key.ts'
import type { Body } from './body.ts'
import { headerLookup } from './header-lookup.ts'
import { shuttingDown } from './open-calls.ts'
import { type Admission, readHeld } from './shedding.ts'
import { enterAs } from './tenant-call.ts'

/** Serves the calls of one dialect: reads the request, answers it, and records the outcome. */
export function serveDialect(dialect: Dialect, parts: ServeParts): Middleware {
  return serve(dialect, parts, callAnswerer)
}

/** As `serveDialect`, for embeddings and rerank. */
export function serveRelay(dialect: RelayDialect, parts: ServeParts): Middleware {
  return serve(dialect, parts, relayAnswerer)
}

function serve<Spoken extends WireFormat<Asked>, Asked extends AnyCall>(
  dialect: Spoken,
  parts: ServeParts,
  answerer: Answerer<Spoken, Asked>,
): Middleware {
  return async function serveCall(ctx) {
    ctx.respond = false
    const { res: response } = ctx
    const id = ctx.state['requestId'] as string
    if (dialect.requestIdHeader !== undefined) response.setHeader(dialect.requestIdHeader, id)
    // `using` is avoided for record and admission: V8 allocates a list for each, which takes 0.25 µs per call.
    const exchange = new Exchange(parts, ctx, dialect, id)
    let admission: Admission | undefined
    try {
      const caller = letIn(exchange)
      admission = parts.shedding.admit(caller.id)
      const reading = readCall(exchange, caller, admission, id)
      await answerRead(exchange, reading instanceof Promise ? await reading : reading, answerer)
    } catch (thrown) {
      await answerFailure(exchange, thrown)
    } finally {
      admission?.[Symbol.dispose]()
      exchange.record[Symbol.dispose]()
    }
  }
}

function answerRead<Spoken extends WireFormat<Asked>, Asked extends AnyCall>(
  exchange: Exchange<Spoken>,
  { call, text }: ReadCall<Asked>,
  answerer: Answerer<Spoken, Asked>,
): Promise<void> {
  const { record, parts, ctx } = exchange
  record.parsed()
  const key = parts.idempotency && idempotencyKeyOf(ctx.req)
  if (key === undefined || parts.idempotency === undefined) return answerer.answer(exchange, call, exchange)
  return answerUnderKey(exchange, parts.idempotency, { key, call, text }, answerer)
}

/** A call, and the text of its body. */
type ReadCall<Asked extends AnyCall> = { readonly call: Asked; readonly text: string }

/** Authenticates the caller. Throws a Failure for an invalid key, or while the gateway shuts down. */
function letIn({ ctx, record, signal, parts }: Exchange): Principal {
  if (parts.isDraining()) throw shuttingDown()
  const caller = parts.gate.admit(apiKeyOf(ctx.req))
  record.calledBy(caller)
  signal.owner = caller.id
  parts.connections.admitted(ctx.req.socket)
  return caller
}

/** Reads and parses the call; synchronously if its body has arrived completely. Throws, or rejects with, a Failure. */
function readCall<Asked extends AnyCall>(
  exchange: Exchange<WireFormat<Asked>>,
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

/** Counts the whole text of a call that continues stored responses, because a short request may load megabytes. */
function unpackedIn<Asked extends AnyCall>(admission: Admission, read: ReadCall<Asked>): ReadCall<Asked> {
  admission.hold(Buffer.byteLength(read.call.body.text))
  return read
}

/** Parses the call and applies the rules of its key. */
function entered<Asked extends AnyCall>(
  exchange: Exchange<WireFormat<Asked>>,
  body: Body,
  caller: Principal,
  id: string,
): ReadCall<Asked> | Promise<ReadCall<Asked>> {
  const read = parsed(exchange, body, caller, id)
  const { tenant } = caller
  if (tenant === undefined) return read
  if (read instanceof Promise) return read.then((one) => enteredAs(tenant, exchange, one))
  return enteredAs(tenant, exchange, read)
}

function enteredAs<Asked extends AnyCall>(
  tenant: Tenant,
  exchange: Exchange<WireFormat<Asked>>,
  read: ReadCall<Asked>,
): ReadCall<Asked> | Promise<ReadCall<Asked>> {
  const call = enterAs(tenant, read.call, exchange.record, headerLookup(exchange.ctx.req))
  return call instanceof Promise ? call.then((own) => ({ ...read, call: own })) : { ...read, call }
}

function parsed<Asked extends AnyCall>(
  { ctx, dialect, record, parts }: Exchange<WireFormat<Asked>>,
  { json, bytes }: Body,
  { id: tenant, credential }: Principal,
  id: string,
): ReadCall<Asked> | Promise<ReadCall<Asked>> {
  const { strict } = parts
  record.received(bytes)
  const deadlineMs = deadlineOf(ctx.req.headers['x-pandotate-timeout-ms'])
  const headers = headerLookup(ctx.req)
  const body = withModelOfPath(json, ctx)
  const call = parseWhole(dialect, { id, body, tenant, credential, deadlineMs, strict, headers })
  if (call instanceof Promise) return call.then((own) => noted(own, json, record))
  return noted(call, json, record)
}

function noted<Asked extends AnyCall>(call: Asked, { text }: JsonText, { row }: OpenRecord): ReadCall<Asked> {
  if (call.dropped !== undefined) for (const name of call.dropped) row.dropped.add(name)
  if (call.converted !== undefined) for (const name of call.converted) row.converted.add(name)
  return { call, text }
}

/** A model in the path, as in Azure's paths, takes precedence over the body's. */
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

/** Records the thrown error, and answers with it. */
function answerFailure({ ctx, dialect, record, parts }: Exchange, thrown: unknown): void | Promise<void> {
  const failure = record.fail(parts.brake(ctx.req, thrown))
  const text = JSON.stringify(dialect.fail(failure, record.row.id))
  record.sendsMore(Buffer.byteLength(text))
  const headers = failureHeaders(record, failure)
  return record.closeThen(() => sendText(ctx.req, ctx.res, failure.status, text, headers))
}
