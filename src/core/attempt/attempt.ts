import { adaptCall, choicesWanted, isSpelledOut, promptsIn, type Reading } from '../adapt/adapt-call.ts'
import { inWords } from '../adapt/token-ids.ts'
import { answerIdOf } from '../model/answer-id.ts'
import type { Call, Delta, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { fold, unfold } from '../model/fold.ts'
import type { AttemptNotes, Deployment, Sent } from '../model/ports.ts'
import {
  type PullIterator,
  pullIterator,
  rethrow,
  type UseFailure,
  type UseStep,
} from '../model/pull-iterator.ts'
import type { ClaimedUsage } from '../model/usage.ts'
import { isVisible } from '../model/visible.ts'
import { createNormalizer, type Normalizer } from '../reply/normalize.ts'
import { inTime, silence } from './in-time.ts'
import {
  type AttemptParts,
  type IdleWatch,
  isDrained,
  type OpenAttempt,
  openAttempt,
} from './open-attempt.ts'

/** An answer that has been committed to: the whole of a JSON reply, or a stream from its first visible delta. */
export type Answer = {
  readonly deployment: Deployment
  /**
   * Bursts to the end of the answer: a list where it is in hand already. Rejects with a Failure; ends only when the
   * answer was complete.
   */
  readonly bursts: Bursts
  /** What the upstream has told of usage so far; final once `bursts` ended. */
  readonly usage: () => ClaimedUsage | undefined
}

export type Bursts = AsyncIterable<readonly Delta[]> | readonly (readonly Delta[])[]

/**
 * Makes one try of a call at one deployment. Resolves when the answer is committed: for a JSON call when the
 * whole of it is in hand, for a stream at the first visible delta. Until then nothing was shown, and a Failure
 * may be answered by trying elsewhere. The upstream's connection is given up on every other way out.
 */
export function attempt(parts: AttemptParts): Promise<Answer> {
  let open: OpenAttempt | undefined
  const failed = (thrown: unknown) => Promise.reject(open?.fail(thrown) ?? thrown)
  try {
    open = openAttempt(parts)
    // What every call passes is no async function, which costs a kilobyte each time.
    return isSpelledOut(parts.call, parts.deployment)
      ? sendSpelledOut(parts, open).catch(failed)
      : sendAndTake(parts, open, parts.call)
  } catch (thrown) {
    return failed(thrown)
  }
}

async function sendSpelledOut(parts: AttemptParts, open: OpenAttempt): Promise<Answer> {
  return await sendAndTake(parts, open, await spellOut(parts, open.notes))
}

/** What it throws is yet to end the attempt. */
function sendAndTake(parts: AttemptParts, open: OpenAttempt, spelled: Call): Promise<Answer> {
  const { call, deployment } = parts
  const asking = adaptCall(spelled, deployment, open.notes)
  const sent = deployment.upstream.send(asking.call, {
    id: open.id,
    upstreamModel: deployment.upstreamModel ?? call.model,
    connectMs: deployment.clocks.connectMs,
    isFresh: parts.isFresh,
    signal: open.signal,
    notes: open.notes,
  })
  const flow: Flow = { parts, open, normalizer: asking.reading(normalizerFor(parts, asking.call)) }
  open.claims(flow.normalizer)
  return call.stream ? openStream(flow, sent) : takeWhole(flow, sent)
}

async function spellOut({ call, detokenizer }: AttemptParts, notes: AttemptNotes): Promise<Call> {
  const { prompt: given } = call.body
  if (detokenizer === undefined || !Array.isArray(given)) return call
  const prompt = await inWords(given, detokenizer, notes)
  return { ...call, body: { ...call.body, prompt }, source: undefined }
}

type Flow = {
  readonly parts: AttemptParts
  readonly open: OpenAttempt
  readonly normalizer: Reading
}

function normalizerFor({ call, record, clock, deployment }: AttemptParts, asked: Call): Normalizer {
  return createNormalizer({
    kind: call.kind,
    stream: call.stream,
    id: answerIdOf(call),
    createdEpochSeconds: Math.floor(clock.epochMs() / 1000),
    model: call.model,
    wanted: choicesWanted(asked),
    least: promptsIn(asked.body['prompt']),
    keepsReasoning: deployment.upstream.keepsReasoning,
    flags: record.flags,
  })
}

/** The headers of a JSON answer come when it is complete: only the total clock applies. */
function takeWhole(flow: Flow, sent: Sent): Promise<Answer> {
  const { parts, normalizer } = flow
  const { totalMs } = parts.deployment.clocks
  const failed = (thrown: unknown) => Promise.reject(flow.open.fail(thrown))
  // One promise for either end, where a `catch` behind would be another.
  const commit = (deltas: () => readonly Delta[]) => {
    try {
      return commitWhole(flow, deltas())
    } catch (thrown) {
      return failed(thrown)
    }
  }
  if ('then' in sent) {
    return inTime(parts, sent, totalMs).then((burst) => commit(() => accepted(normalizer, burst)), failed)
  }
  return inTime(parts, collect(normalizer, sent), totalMs).then((deltas) => commit(() => deltas), failed)
}

function commitWhole({ parts, normalizer, open }: Flow, deltas: readonly Delta[]): Answer {
  const { deployment } = parts
  const whole = fold(deltas)
  if (whole === undefined) throw new Failure('invalid_response', 'The upstream gave an empty answer.')
  const settled = normalizer.settled?.(whole) ?? whole
  const bursts = [[settled]]
  parts.signal.throwIfAborted()
  // What was written and not chosen was written all the same.
  parts.meter.note(deltas)
  open.commit()
  open.end()
  return { deployment, bursts, usage: () => normalizer.usage() }
}

function accepted(normalizer: Reading, burst: readonly RawDelta[]): readonly Delta[] {
  const deltas = normalizer.accept(burst)
  normalizer.finish()
  return deltas
}

async function collect(
  normalizer: Reading,
  sent: AsyncIterable<readonly RawDelta[]>,
): Promise<readonly Delta[]> {
  const deltas: Delta[] = []
  for await (const burst of sent) {
    for (const delta of normalizer.accept(burst)) deltas.push(delta)
    if (normalizer.isCut?.() === true) break
  }
  normalizer.finish()
  return deltas
}

async function openStream(flow: Flow, sent: Sent): Promise<Answer> {
  const { parts, normalizer, open } = flow
  const { deployment } = parts
  const { firstTokenMs, totalMs } = deployment.clocks
  const iterator = 'then' in sent ? promised(sent) : sent[Symbol.asyncIterator]()
  try {
    const opening = await inTime(parts, untilVisible(normalizer, iterator), Math.min(firstTokenMs, totalMs))
    const onward = new Onward(flow, opening, iterator)
    if (parts.signal.aborted) await onward.return()
    parts.signal.throwIfAborted()
    open.commit()
    return { deployment, bursts: onward, usage: () => normalizer.usage() }
  } catch (thrown) {
    const reason = open.fail(thrown)
    finalise(iterator)
    throw reason
  }
}

async function* promised<T>(value: Promise<T>): AsyncGenerator<T, void, void> {
  yield await value
}

/** Lets a provider clean up. What comes of that is of no more interest. */
function finalise(steps: Pick<PullIterator<unknown>, 'return'>): void {
  steps.return?.().catch(() => undefined)
}

/** Deltas up to the burst that holds the first visible one. What comes before it is kept, unseen. */
async function untilVisible(
  normalizer: Reading,
  iterator: AsyncIterator<readonly RawDelta[]>,
): Promise<readonly Delta[]> {
  const deltas: Delta[] = []
  while (true) {
    const step = await iterator.next()
    if (step.done === true) {
      normalizer.finish()
      return deltas
    }
    for (const delta of normalizer.accept(step.value)) deltas.push(...unfold(delta))
    if (deltas.some(isVisible)) return deltas
  }
}

/**
 * A stream from its first visible delta to its end. An iterator by hand, without a generator's own
 * promises: there is a burst for every token.
 */
class Onward implements AsyncIterableIterator<readonly Delta[], undefined> {
  readonly #flow: Flow
  readonly #steps: PullIterator<readonly RawDelta[]>
  readonly #idle: IdleWatch
  #opening: readonly Delta[] | undefined
  /** The step that was last asked for. */
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

  /** No async function, which would cost a kilobyte for every token. */
  next(): Promise<IteratorResult<readonly Delta[], undefined>> {
    const opening = this.#opening
    this.#opening = undefined
    if (opening !== undefined && opening.length > 0) return Promise.resolve(this.#told(opening))
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    try {
      const next = this.#ask(this.#heard, this.#failed)
      this.#next = next
      return next ?? this.next()
    } catch (thrown) {
      return this.#failed(thrown)
    }
  }

  readonly #heard = (
    step: IteratorResult<readonly RawDelta[], undefined>,
  ): IteratorResult<readonly Delta[], undefined> | Promise<IteratorResult<readonly Delta[], undefined>> => {
    try {
      const deltas = this.#take(step)
      return deltas === undefined || deltas.length === 0 ? this.next() : this.#told(deltas)
    } catch (thrown) {
      return this.#failed(thrown)
    }
  }

  readonly #failed = async (thrown: unknown): Promise<never> => {
    const reason = this.#flow.open.fail(thrown)
    this.#close()
    throw reason
  }

  #told(deltas: readonly Delta[]): IteratorYieldResult<readonly Delta[]> {
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

  /** Undefined when there is no more to be had. */
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

  /** What came; undefined when nothing did. */
  #take(step: IteratorResult<readonly RawDelta[], undefined>): readonly Delta[] | undefined {
    const { open, normalizer, parts } = this.#flow
    this.#idle.arrived()
    // The caller left, and the rest was read for its cost alone.
    if (parts.signal.aborted && step.done === true) throw parts.signal.reason
    if (step.done !== true) {
      const deltas = normalizer.accept(step.value)
      return parts.signal.aborted ? undefined : deltas
    }
    normalizer.finish()
    open.end()
    this.#close()
    return undefined
  }

  async #drain(): Promise<void> {
    try {
      // Where a step is waited for, it reads on to the end by itself: there may be only one at a time.
      await this.#next
      while (!this.#ended) {
        await this.#ask((step) => this.#take(step), rethrow)
      }
    } catch {
      // Nobody is left to be told; the record has what it cost so far.
    }
  }

  #close(): void {
    this.#ended = true
    this.#idle[Symbol.dispose]()
    finalise(this.#steps)
  }
}

/** Every choice has finished: a terminator or a usage that does not come takes nothing from the answer. */
function mayBeMissed(thrown: unknown, { signal, deployment }: AttemptParts): boolean {
  if (signal.aborted || deployment.upstream.needsDone === true) return false
  return thrown instanceof Failure && endings.has(thrown.kind)
}

const endings: ReadonlySet<string> = new Set(['timeout', 'interrupted', 'unreachable'])
