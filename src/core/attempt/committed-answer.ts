import type { AnswerReader } from '../adapt/adapt-call.ts'
import type { AnyCall, Delta, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import {
  type PullIterator,
  pullIterator,
  rethrow,
  type UseFailure,
  type UseStep,
} from '../model/pull-iterator.ts'
import type { IdleWatch } from './idle-watch.ts'
import { silence } from './in-time.ts'
import { type AttemptParts, isDrained, type OpenAttempt } from './open-attempt.ts'

/** An attempt in progress, and how its answer is read. */
export type Flow = {
  readonly parts: AttemptParts
  readonly open: OpenAttempt
  readonly normalizer: AnswerReader
}

/**
 * A stream from its first visible delta to its end. A hand-written iterator without a generator's promises: there is
 * one burst per token.
 */
export class CommittedAnswer implements AsyncIterableIterator<readonly Delta[], undefined> {
  readonly #flow: Flow
  readonly #steps: PullIterator<readonly RawDelta[]>
  readonly #idle: IdleWatch
  #opening: readonly Delta[] | undefined
  /** The step that was last requested. */
  #next: Promise<unknown> | undefined
  #ended = false

  constructor(flow: Flow, opening: readonly Delta[], iterator: AsyncIterator<readonly RawDelta[]>) {
    this.#flow = flow
    this.#opening = opening
    this.#steps = pullIterator(iterator)
    this.#idle = flow.open.watch(() => silence(flow.parts))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Not async: an async frame would cost about 1 KB per token. */
  next(): Promise<IteratorResult<readonly Delta[], undefined>> {
    const opening = this.#opening
    this.#opening = undefined
    if (opening !== undefined && opening.length > 0) return Promise.resolve(this.#metered(opening))
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    try {
      const next = this.#ask(this.#received, this.#failed)
      this.#next = next
      return next ?? this.next()
    } catch (thrown) {
      return this.#failed(thrown)
    }
  }

  readonly #received = (
    step: IteratorResult<readonly RawDelta[], undefined>,
  ): IteratorResult<readonly Delta[], undefined> | Promise<IteratorResult<readonly Delta[], undefined>> => {
    try {
      const deltas = this.#take(step)
      return deltas === undefined || deltas.length === 0 ? this.next() : this.#metered(deltas)
    } catch (thrown) {
      return this.#failed(thrown)
    }
  }

  readonly #failed = async (thrown: unknown): Promise<never> => {
    const reason = this.#flow.open.fail(thrown)
    this.#close()
    throw reason
  }

  #metered(deltas: readonly Delta[]): IteratorYieldResult<readonly Delta[]> {
    this.#flow.parts.meter.note(deltas)
    return { done: false, value: deltas }
  }

  async return(): Promise<IteratorResult<readonly Delta[], undefined>> {
    if (!this.#ended) {
      if (isDrained(this.#flow.parts)) await this.#drain()
      this.#flow.open.leave()
      this.#close()
    }
    return { done: true, value: undefined }
  }

  /** Undefined at the end. */
  #ask<Used>(use: UseStep<readonly RawDelta[], Used>, failed: UseFailure<Used>): Promise<Used> | undefined {
    const { open, normalizer, parts } = this.#flow
    if (normalizer.isCut?.() === true) {
      open.end()
      this.#close()
      return undefined
    }
    const isFinished = normalizer.isFinished()
    if (isFinished) this.#idle.closing()
    this.#idle.waiting()
    if (!isFinished) return this.#steps.takeStep(use, failed)
    return this.#steps.takeStep(use, (thrown) =>
      mayBeMissed(thrown, parts) ? use({ done: true, value: undefined }) : failed(thrown),
    )
  }

  /** The deltas of this step; undefined if there are none. */
  #take(step: IteratorResult<readonly RawDelta[], undefined>): readonly Delta[] | undefined {
    const { open, normalizer, parts } = this.#flow
    this.#idle.arrived()
    // The caller left, and the rest was read only for its cost.
    if (parts.signal.aborted && step.done === true) throw parts.signal.reason
    if (step.done !== true) {
      const deltas = normalizer.accept(step.value)
      return parts.signal.aborted ? undefined : deltas
    }
    const ends = normalizer.finish(open.notes.ending)
    open.end()
    this.#close()
    return ends
  }

  async #drain(): Promise<void> {
    try {
      // A pending step continues to the end by itself: only one step may be pending at a time.
      await this.#next
      while (!this.#ended) {
        await this.#ask((step) => this.#take(step), rethrow)
      }
    } catch {
      // The caller is gone; the record has the cost so far.
    }
  }

  #close(): void {
    this.#ended = true
    this.#idle[Symbol.dispose]()
    finalise(this.#steps)
  }
}

/** Lets a provider clean up. The result no longer matters. */
export function finalise(steps: Pick<PullIterator<unknown>, 'return'>): void {
  steps.return?.().catch(() => undefined)
}

/**
 * Every choice has finished, so the answer is whole: a missing terminator or usage, or an error in its place, does not
 * change that.
 */
export function mayBeMissed(thrown: unknown, { signal, deployment }: AttemptParts<AnyCall>): boolean {
  return thrown instanceof Failure && !signal.aborted && deployment.upstream.needsDone !== true
}
