import type { RawDelta } from '../../core/model/call.ts'
import {
  type PullIterator,
  passThrough,
  pullIterator,
  rethrow,
  type UseFailure,
  type UseStep,
} from '../../core/model/pull-iterator.ts'
import type { ReadError } from '../http-error/openai-error.ts'
import { isEventStream } from '../wire/event-stream-type.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { type ChunkReader, createChunkReader, readReply } from './answer.ts'

/** More than any JSON reply of use. */
export const replyBytes = 64 * 1024 * 1024

/**
 * The chunks of an answer, one burst for each read; of a server that does not stream, the whole reply as one.
 * Nothing is asked before the first step. An iterator by hand, as there is a burst for every token.
 */
export class Events implements AsyncIterator<Burst, undefined>, PullIterator<Burst> {
  readonly #ask: () => Promise<WireAnswer>
  readonly #name: string
  readonly #readError: ReadError | undefined
  readonly #reader: ChunkReader
  #bytes: PullIterator<Buffer> | undefined
  #ended = false

  constructor(ask: () => Promise<WireAnswer>, name: string, readError?: ReadError, needsDone = false) {
    this.#ask = ask
    this.#name = name
    this.#readError = readError
    this.#reader = createChunkReader(name, readError, needsDone)
  }

  next(): Promise<IteratorResult<Burst, undefined>> {
    return this.takeStep(passThrough, rethrow)
  }

  /** No async function, which would cost a kilobyte for every token. */
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
      const whole = await this.#open()
      if (whole !== undefined) return { done: false, value: whole }
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
    // Past the terminator, or a fault, nothing is read: the body may end, and its connection serve again.
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

  /** What is wrong with a stream is told after what came before it. */
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

  /** Asks. The whole reply where it is not a stream, and nothing comes after it. */
  async #open(): Promise<Burst | undefined> {
    const answer = await this.#ask()
    if (isEventStream(answer, true)) {
      this.#bytes = pullIterator(answer.chunks()[Symbol.asyncIterator]())
      return undefined
    }
    this.#ended = true
    return [readReply(await answer.text(replyBytes), this.#name, this.#readError)]
  }
}

type Burst = readonly RawDelta[]
