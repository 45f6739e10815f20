import type { IncomingMessage } from 'node:http'
import type { OpenRecord } from '../../../core/account/open-record.ts'
import type { AnyCall } from '../../../core/model/call.ts'
import type { CallSignal } from '../../../core/model/call-signal.ts'
import { asFailure, Failure } from '../../../core/model/failure.ts'
import { unknownPrice } from '../../../core/model/price.ts'
import { type AttemptRecord, type CallRecord, startAttempt } from '../../../core/model/record/record.ts'
import type { Idempotency } from '../../../core/reuse/idempotency.ts'
import type { AnswerFacts, AnswerReader, AnswerWriter } from '../../../core/reuse/idempotent-answer.ts'
import type { WireFormat } from '../../../dialects/shared/dialect.ts'
import type { Answerer } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { type OpenedSource, type Output, pour, type StreamOutput, type StreamSource } from './output.ts'

/** The Idempotency-Key of a request. Throws `invalid_request` for an invalid one. */
export function idempotencyKeyOf({ headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key))) return key
  throw new Failure(
    'invalid_request',
    'The header Idempotency-Key must be 1 to 255 characters of printable ASCII.',
    { param: 'Idempotency-Key' },
  )
}

export type Keyed<Asked extends AnyCall> = {
  readonly key: string
  readonly call: Asked
  /** The text of the request's body. */
  readonly text: string
}

/**
 * Answers a call once for all requests with its key: the answer is written to a shared buffer, from which its own
 * caller reads it too. Throws `key_reused`.
 */
export async function answerUnderKey<Spoken extends WireFormat<AnyCall>, Asked extends AnyCall>(
  exchange: Exchange<Spoken>,
  idempotency: Idempotency,
  { key, call, text }: Keyed<Asked>,
  { answer, failText }: Answerer<Spoken, Asked>,
): Promise<void> {
  const { dialect, record, signal } = exchange
  const { model, stream, steering = null } = call
  const keyed = { tenant: record.row.owner, dialect: dialect.name, key, request: [text, model, steering] }
  const { reader, work } = await idempotency.answer(keyed, signal, (writer, signal) =>
    answer(exchange, call, new KeyedOutput(writer, record, signal)),
  )
  const replay = work === undefined ? beginReplay(record, call) : undefined
  const following = { reader, call, record, replay }
  try {
    if (stream)
      await pour(new KeptStream(following, (failure) => failText(exchange, call, failure)), exchange)
    else await exchange.send(await textOf(following))
  } finally {
    // The call may continue after its caller has disconnected. It is still in flight and in this record.
    await work
  }
}

/** Writes an answer to the buffer that all requests with its key read. */
class KeyedOutput implements Output, StreamOutput {
  readonly signal: CallSignal
  readonly #answer: AnswerWriter
  readonly #record: OpenRecord
  hasBegun = false

  constructor(answer: AnswerWriter, record: OpenRecord, signal: CallSignal) {
    this.#answer = answer
    this.#record = record
    this.signal = signal
  }

  send(text: string): void {
    this.begin()
    this.end(text)
  }

  open(): this {
    return this
  }

  begin(): void {
    this.hasBegun = true
    this.#answer.begin(factsOf(this.#record.row))
  }

  write(text: string): boolean {
    this.#answer.write(text)
    return false
  }

  drained(): Promise<void> {
    return this.#answer.drained()
  }

  end(text: string): void {
    this.#answer.write(text)
    this.#answer.end(factsOf(this.#record.row))
  }

  fail(thrown: unknown, source: Pick<StreamSource<unknown, unknown>, 'fail'>): never {
    const failure = asFailure(thrown)
    this.#answer.reportFailure(failure, source.fail(failure))
    throw failure
  }

  [Symbol.dispose](): void {}
}

function factsOf({ deployment, usage, dropped, converted }: CallRecord): AnswerFacts {
  return { deployment, usage, dropped, converted }
}

type Following = {
  readonly reader: AnswerReader
  readonly call: AnyCall
  readonly record: OpenRecord
  /**
   * The record's attempt for a replayed answer. Undefined: the answer was made for this call, and the record has the
   * real attempts.
   */
  readonly replay: AttemptRecord | undefined
}

/** A stream read from the buffer, already in its caller's format. */
class KeptStream implements StreamSource<string, void> {
  readonly #following: Following
  readonly #failText: (failure: Failure) => string

  constructor(following: Following, failText: (failure: Failure) => string) {
    this.#following = following
    this.#failText = failText
  }

  idle(): undefined {}

  async open(): Promise<OpenedSource<string, void>> {
    await begun(this.#following)
    return { bursts: this.#following.reader.texts(), usage: () => noteUsage(this.#following) }
  }

  textOf(text: string): string {
    return text
  }

  end(): string {
    return ''
  }

  fail(failure: Failure): string {
    return failure === this.#following.reader.reportedFailure ? '' : this.#failText(failure)
  }
}

async function textOf(following: Following): Promise<string> {
  await begun(following)
  let text = ''
  for await (const piece of following.reader.texts()) text += piece
  noteUsage(following)
  return text
}

function beginReplay(record: OpenRecord, call: AnyCall): AttemptRecord {
  const entry = startAttempt({ deployment: 'cache', startMs: record.elapsedMs(), price: unknownPrice })
  entry.costNanoUsd = 0
  record.reuses('replay', call, entry)
  return entry
}

async function begun({ reader, call, record, replay }: Following): Promise<void> {
  if (replay === undefined) return await reader.begun()
  try {
    // This caller's deadline limits the wait. The deadline of the first caller limits the call itself.
    await reader.begun(call.deadlineMs && call.deadlineMs - record.elapsedMs())
    replay.isDelivered = true
  } catch (thrown) {
    replay.outcome = asFailure(thrown).kind
    throw thrown
  } finally {
    replay.firstTokenMs = record.elapsedMs() - replay.startMs
    replay.totalMs = replay.firstTokenMs
  }
  record.reusedFrom(reader.made)
}

function noteUsage({ reader, record, replay }: Following): void {
  const { usage } = reader.made
  if (replay !== undefined && usage !== undefined) record.used(usage, false)
}
