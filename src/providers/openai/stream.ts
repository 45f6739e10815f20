import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { failedDelta } from '../../core/model/fold/failed-delta.ts'
import type { AttemptNotes } from '../../core/model/ports.ts'
import {
  type PullIterator,
  passThrough,
  pullIterator,
  rethrow,
  type UseFailure,
  type UseStep,
} from '../../core/model/pull-iterator.ts'
import type { ReadError } from '../http-error/openai-error.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { type ChunkReader, createChunkReader, readReply } from './answer.ts'

/** Larger than any sensible JSON reply. */
export const replyBytes = 64 * 1024 * 1024

/**
 * The chunks of an answer, one burst per read; or the whole reply as one burst if the server does not stream. The
 * request is sent with the first step. The iterator is hand-written, because there is one burst per token.
 */
export class Events implements AsyncIterator<Burst, undefined>, PullIterator<Burst> {
  readonly #ask: () => Promise<WireAnswer>
  readonly #name: string
  readonly #how: ReadHow
  readonly #reader: ChunkReader
  #bytes: PullIterator<Buffer> | undefined
  #ended = false

  constructor(ask: () => Promise<WireAnswer>, name: string, how: ReadHow) {
    const { readError, needsDone = false } = how
    this.#ask = ask
    this.#name = name
    this.#how = how
    this.#reader = createChunkReader(name, readError, needsDone)
  }

  next(): Promise<IteratorResult<Burst, undefined>> {
    return this.takeStep(passThrough, rethrow)
  }

  /** Not an async function: its frame would cost about 1 KB per token. */
  takeStep<Used>(use: UseStep<Burst, Used>, failed: UseFailure<Used>): Promise<Used> {
    if (this.#ended) return this.#tail().then(use, failed)
    if (this.#bytes === undefined) return this.#begin().then(use, failed)
    return this.#bytes.takeStep(
      (step) => this.#read(step, use, failed),
      (thrown) => this.#fail(thrown).catch(failed),
    )
  }

  async #begin(): Promise<IteratorResult<Burst, undefined>> {
    try {
      const first = await this.#open()
      if (this.#reader.done || this.#reader.failure !== undefined) return await this.#close(first)
      if (first.length > 0) return { done: false, value: first }
    } catch (thrown) {
      return await this.#fail(thrown)
    }
    return await this.next()
  }

  #read<Used>(
    step: IteratorResult<Buffer, undefined>,
    use: UseStep<Burst, Used>,
    failed: UseFailure<Used>,
  ): Used | Promise<Used> {
    const reader = this.#reader
    let burst: Burst
    try {
      burst = step.done === true ? reader.end() : reader.read(step.value)
    } catch (thrown) {
      return this.#fail(thrown).catch(failed)
    }
    if (reader.isTerminated) this.#how.notes.ending = 'terminator'
    // Nothing is read after the terminator or a failure, so that the connection can be reused.
    if (step.done === true || reader.done || reader.failure !== undefined) {
      return this.#close(burst).then(use, failed)
    }
    return burst.length > 0 ? use({ done: false, value: burst }) : this.takeStep(use, failed)
  }

  async #close(last: Burst): Promise<IteratorResult<Burst, undefined>> {
    await this.return()
    return last.length > 0 ? { done: false, value: last } : await this.#tail()
  }

  async #fail(thrown: unknown): Promise<never> {
    await this.return()
    throw thrown
  }

  /** Ends the stream: the failure, if any, follows the deltas. */
  async #tail(): Promise<IteratorReturnResult<undefined>> {
    const { failure } = this.#reader
    if (failure !== undefined) throw failure
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Burst, undefined>> {
    this.#ended = true
    await this.#bytes?.return?.()
    return { done: true, value: undefined }
  }

  /** Sends the request. Returns the first burst of a stream, or the whole reply, after which the iterator ends. */
  async #open(): Promise<Burst> {
    const answer = await this.#ask()
    if (!mayBeEvents(answer)) {
      this.#ended = true
      return readText(await answer.text(replyBytes), this.#name, this.#how)
    }
    const bytes = pullIterator(answer.chunks()[Symbol.asyncIterator]())
    this.#bytes = bytes
    const first = await openingOf(bytes)
    if (isJson(first)) {
      this.#ended = true
      return readText(await restOf(first, bytes, this.#name), this.#name, this.#how)
    }
    const burst = this.#reader.read(first)
    if (this.#reader.isTerminated) this.#how.notes.ending = 'terminator'
    return burst
  }
}

type Burst = readonly RawDelta[]

/** Options for reading an answer, and the notes that record how it ended. */
export type ReadHow = {
  readonly readError?: ReadError | undefined
  readonly needsDone?: boolean | undefined
  readonly notes: EndingNotes
}

type EndingNotes = Pick<AttemptNotes, 'ending'>

/**
 * The deltas in the text of a complete answer: a JSON reply, or a whole stream. A stream's failure is appended as the
 * last delta: the normalizer ignores it after all choices have finished.
 */
export function readText(text: string, name: string, how: ReadHow): readonly RawDelta[] {
  const { readError, needsDone, notes } = how
  if (!looksLikeEvents.test(text)) {
    const reply = readReply(text, name, readError)
    notes.ending = 'value'
    return [reply]
  }
  const reader = createChunkReader(name, readError, needsDone)
  const deltas = [...reader.read(Buffer.from(text))]
  if (!reader.done) deltas.push(...reader.end())
  if (reader.isTerminated) notes.ending = 'terminator'
  if (reader.failure !== undefined) deltas.push(failedDelta(reader.failure))
  return deltas
}

const looksLikeEvents = /^\ufeff?\s*(?:data|event|id|retry)?:/

/** Servers label streams as event streams, as plain text, or not at all. Without a label, the first byte decides. */
function mayBeEvents(answer: WireAnswer): boolean {
  const type = answer.header('content-type')
  return type === undefined || /^text\/(?:event-stream|plain)\b|^application\/octet-stream\b/i.test(type)
}

/** Reads until the first byte that is not a space. */
async function openingOf(bytes: PullIterator<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  while (true) {
    const step = await bytes.takeStep(passThrough, rethrow)
    if (step.done === true) break
    pieces.push(step.value)
    if (step.value.some((byte) => !isSpace(byte))) break
  }
  return Buffer.concat(pieces)
}

function isJson(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0
  return bytes.subarray(start).find((byte) => !isSpace(byte)) === openBrace
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

const openBrace = 0x7b
const byteOrderMark = Buffer.from('\ufeff')

async function restOf(first: Buffer, bytes: PullIterator<Buffer>, provider: string): Promise<string> {
  const pieces = [first]
  let length = first.length
  while (true) {
    const step = await bytes.takeStep(passThrough, rethrow)
    if (step.done === true) return Buffer.concat(pieces).toString('utf8')
    pieces.push(step.value)
    length += step.value.length
    if (length <= replyBytes) continue
    await bytes.return?.()
    const message = `The upstream's answer is longer than ${replyBytes} bytes.`
    throw new Failure('invalid_response', message, { provider })
  }
}
