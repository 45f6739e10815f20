import type { IncomingMessage } from 'node:http'
import type { OpenRecord } from '../../core/account/recorder.ts'
import type { Gateway, Stream } from '../../core/gateway.ts'
import type { AnyCall, Call, Chunk, Delta, Relay, Reply } from '../../core/model/call.ts'
import type { CallSignal } from '../../core/model/call-signal.ts'
import { asFailure, Failure } from '../../core/model/failure.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { unknownPrice } from '../../core/model/price.ts'
import { type AttemptRecord, type CallRecord, startAttempt } from '../../core/model/record/record.ts'
import type { Usage } from '../../core/model/terms.ts'
import type { Idempotency, Perform } from '../../core/reuse/idempotency.ts'
import type { AnswerFacts, AnswerReader, AnswerWriter } from '../../core/reuse/idempotent-answer.ts'
import type { Asking, Dialect, RelayDialect, Told } from '../../dialects/shared/dialect.ts'

/** One request being answered. */
export type KeyedExchange<Spoken extends Asking<AnyCall>> = {
  /** Undefined: Idempotency-Key is ignored. */
  readonly idempotency: Idempotency | undefined
  readonly ctx: { readonly req: IncomingMessage }
  readonly gateway: Gateway
  readonly dialect: Spoken
  readonly record: OpenRecord
  readonly signal: CallSignal
}

/** What answers a call in place of its exchange's gateway and dialect. */
export type OneAnswer<Spoken extends Asking<AnyCall>> = {
  readonly gateway: Gateway
  readonly dialect: Spoken
  /** Resolves when the work ends that was begun for this call, which may be after its caller left. */
  readonly work: Promise<void> | undefined
}

/**
 * Has a call answered once for all who send it under its Idempotency-Key; undefined without one. `text` is the
 * request's body. The gateway and the dialect given back are for this call alone: that gateway answers with what is
 * to be written already, and that dialect writes it as it stands. Throws `key_reused`, and `invalid_request` for a key
 * that is none.
 */
export function answerOnce(
  exchange: KeyedExchange<Dialect>,
  call: Call,
  text: string,
  told: () => Told,
): OneAnswer<Dialect> | undefined {
  const { gateway, dialect } = exchange
  const followed = follow(exchange, call, text, () =>
    call.stream ? streamed(exchange, call, told) : whole(exchange, call, told),
  )
  if (followed === undefined) return undefined
  const { following, work } = followed
  return {
    gateway: { ...gateway, reply: () => replyOf(following), stream: () => streamOf(following) },
    dialect: {
      ...dialect,
      render: ({ chunk }) => chunk.text,
      encoder: () => ({
        encode: (deltas) => deltas.map(({ text }) => text).join(''),
        end: () => '',
        fail(failure) {
          const isTold = following.reader.hasBegun && failure === following.reader.failure
          return isTold ? '' : dialect.encoder(call, told).fail(failure)
        },
      }),
    },
    work,
  }
}

/** As `answerOnce`, for what is passed on as it is. */
export function relayOnce(
  exchange: KeyedExchange<RelayDialect>,
  call: Relay,
  text: string,
): OneAnswer<RelayDialect> | undefined {
  const { gateway, dialect } = exchange
  const followed = follow(exchange, call, text, () => relayed(exchange, call))
  if (followed === undefined) return undefined
  const { following, work } = followed
  return {
    gateway: { ...gateway, relay: async () => JsonText.read({}, await textOf(following)) },
    dialect: { ...dialect, render: ({ text }) => text },
    work,
  }
}

type Following = {
  readonly reader: AnswerReader
  readonly call: AnyCall
  readonly record: OpenRecord
  /** The record's attempt at another's answer; undefined: the work was begun for this call, its attempts are here. */
  readonly replay: AttemptRecord | undefined
}

type Followed = { readonly following: Following; readonly work: Promise<void> | undefined }

function follow(
  exchange: KeyedExchange<Asking<AnyCall>>,
  call: AnyCall,
  text: string,
  performer: () => Perform,
): Followed | undefined {
  const { idempotency, ctx, dialect, record, signal } = exchange
  const key = ctx.req.headers['idempotency-key']
  if (idempotency === undefined || key === undefined) return undefined
  const { row } = record
  const { kind, model, stream, steering = null } = call
  const keyed = {
    tenant: row.owner,
    dialect: dialect.name,
    key: checked(key),
    request: [text, model, steering],
  }
  const { reader, work } = idempotency.answer(keyed, signal, performer())
  if (work !== undefined) return { following: { reader, call, record, replay: undefined }, work }
  Object.assign(row, { kind, model, stream, cache: 'replay', provider: 'cache', costNanoUsd: 0 })
  return { following: { reader, call, record, replay: beginReplay(record) }, work }
}

function checked(key: string | readonly string[]): string {
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key)) return key
  throw new Failure(
    'invalid_request',
    'The header Idempotency-Key must be 1 to 255 characters of printable ASCII.',
    { param: 'Idempotency-Key' },
  )
}

function whole({ gateway, dialect, record }: KeyedExchange<Dialect>, call: Call, told: () => Told): Perform {
  return async (answer, signal) => {
    const reply = await gateway.reply(call, signal, record)
    writeWhole(answer, dialect.render(reply, call, told()), record)
  }
}

function relayed({ gateway, dialect, record }: KeyedExchange<RelayDialect>, call: Relay): Perform {
  return async (answer, signal) => {
    writeWhole(answer, dialect.render(await gateway.relay(call, signal, record)), record)
  }
}

function writeWhole(answer: AnswerWriter, text: string, { row }: OpenRecord): void {
  answer.begin(factsOf(row))
  answer.write(text)
  answer.end(factsOf(row))
}

function streamed(
  { gateway, dialect, record }: KeyedExchange<Dialect>,
  call: Call,
  told: () => Told,
): Perform {
  return async (answer, signal) => {
    const encoder = dialect.encoder(call, told)
    const stream = await gateway.stream(call, signal, record)
    answer.begin(factsOf(record.row))
    try {
      for await (const burst of stream.bursts) {
        answer.write(encoder.encode(burst))
        await answer.drained()
      }
      answer.write(encoder.end(await stream.usage()))
    } catch (thrown) {
      const failure = asFailure(thrown)
      answer.write(encoder.fail(failure))
      throw failure
    }
    answer.end(factsOf(record.row))
  }
}

function factsOf({ deployment, usage, dropped, converted }: CallRecord): AnswerFacts {
  return { deployment, usage, dropped, converted }
}

async function replyOf(following: Following): Promise<Reply> {
  const chunk = JsonText.read(inWriting, await textOf(following))
  return { chunk, usage: following.reader.made.usage ?? noUsage }
}

async function textOf(following: Following): Promise<string> {
  await begun(following)
  let text = ''
  for await (const piece of following.reader.texts()) text += piece
  noteUsage(following)
  return text
}

async function streamOf(following: Following): Promise<Stream> {
  await begun(following)
  return { bursts: burstsOf(following.reader), usage: async () => noteUsage(following) ?? noUsage }
}

async function* burstsOf(reader: AnswerReader): AsyncGenerator<readonly Delta[], void, void> {
  for await (const text of reader.texts()) yield [JsonText.read(inWriting, text)]
}

/** These stand where only the text counts. */
const inWriting: Chunk = { id: '', object: '', created: 0, model: '', choices: [] }
const noUsage: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

function beginReplay(record: OpenRecord): AttemptRecord {
  const entry = startAttempt({ deployment: 'cache', startMs: record.elapsedMs(), price: unknownPrice })
  entry.costNanoUsd = 0
  record.row.attempts.push(entry)
  return entry
}

async function begun(following: Following): Promise<void> {
  const { reader, call, record, replay } = following
  if (replay === undefined) return await reader.begun()
  const { row } = record
  try {
    // For as long as this caller will: the work itself is bounded by the caller it was begun for.
    await reader.begun(call.deadlineMs && call.deadlineMs - record.elapsedMs())
    replay.isDelivered = true
  } catch (thrown) {
    replay.outcome = asFailure(thrown).kind
    throw thrown
  } finally {
    row.firstTokenMs = record.elapsedMs()
    replay.firstTokenMs = row.firstTokenMs - replay.startMs
    replay.totalMs = replay.firstTokenMs
  }
  const { deployment, dropped, converted } = reader.made
  row.deployment = deployment
  for (const name of dropped) row.dropped.add(name)
  for (const name of converted) row.converted.add(name)
}

function noteUsage({ reader, record, replay }: Following): Usage | undefined {
  const { usage } = reader.made
  if (replay !== undefined) record.row.usage = usage
  return usage
}
