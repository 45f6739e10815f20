import { attemptNanoUsd } from './account/attempt-cost.ts'
import { boundNanoUsd, mostWithin, timeSliceMs, type UseBound } from './account/cost-bound.ts'
import { tokensIn } from './account/prompt-size.ts'
import type { Answer, Bursts } from './attempt/attempt.ts'
import { type AttemptParts, openAttempt } from './attempt/open-attempt.ts'
import type { AnyCall, Delta } from './model/call.ts'
import { abortUnder, type CallAbort, type CallSignal } from './model/call-signal.ts'
import type { AttemptRecord } from './model/record/record.ts'
import type { Payer, PayerTerms, Shortage } from './model/tenant.ts'

/** How much of a call is paid for. */
export type Coverage = {
  readonly payer: Payer
  /** The usage that is paid for, per attempt. */
  readonly use: UseBound
  readonly isSliced: boolean
  /** The most that a growing hold is for; absent: it does not grow. */
  readonly mostOutputTokens?: number
  /** What all attempts of an answer in slices have written so far. */
  readonly written?: { tokens: number }
}

/**
 * Makes an attempt once its hold is taken, in addition to the holds of earlier attempts that may be billed. The hold
 * grows with time where time is billed, and with the answer where only a slice of it is paid for. When no more money
 * can be held, the attempt ends with the Failure that says so.
 */
export function covered<SomeCall extends AnyCall, Made>(
  coverage: Coverage,
  parts: AttemptParts<SomeCall>,
  make: (parts: AttemptParts<SomeCall>) => Promise<Made>,
): Promise<Made> {
  const cover = new Cover(coverage, parts)
  // Not async: most first attempts are within what the call holds, and an async frame costs about 1 KB per call.
  const paying = cover.pay()
  return paying === undefined ? made(cover, parts, make) : paidFirst(paying, cover, parts, make)
}

async function paidFirst<SomeCall extends AnyCall, Made>(
  paying: Promise<Shortage | undefined>,
  cover: Cover,
  parts: AttemptParts<SomeCall>,
  make: (parts: AttemptParts<SomeCall>) => Promise<Made>,
): Promise<Made> {
  const shortage = await paying
  if (shortage !== undefined) throw openAttempt(parts).fail(shortage.failure)
  return await made(cover, parts, make)
}

function made<SomeCall extends AnyCall, Made>(
  cover: Cover,
  parts: AttemptParts<SomeCall>,
  make: (parts: AttemptParts<SomeCall>) => Promise<Made>,
): Promise<Made> {
  const { row } = parts.context.record
  const at = row.attempts.length
  const making = make(cover.signal === parts.signal ? parts : { ...parts, signal: cover.signal })
  cover.follow(row.attempts[at])
  const kept = making.catch(async (thrown: unknown) => {
    await cover.end()
    throw thrown
  })
  return cover.isSliced ? kept.then((answer) => cover.growing(answer)) : kept
}

class Cover {
  readonly #coverage: Coverage
  readonly #parts: AttemptParts<AnyCall>
  readonly #isTimed: boolean
  /** Ends the attempt when no more money can be held; undefined: its hold never grows. */
  readonly #abort: CallAbort | undefined
  #outputTokens: number
  readonly #resumedTokens: number
  #timeNanoUsd = 0
  #entry: AttemptRecord | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(coverage: Coverage, parts: AttemptParts<AnyCall>) {
    this.#coverage = coverage
    this.#parts = parts
    this.#isTimed = parts.deployment.price.nanoUsdPerSecond !== undefined
    this.#abort = this.#isTimed || coverage.isSliced ? abortUnder(parts.signal) : undefined
    this.#outputTokens = coverage.use.outputTokens
    this.#resumedTokens = this.#resumedBound()
  }

  get signal(): CallSignal {
    return this.#abort ?? this.#parts.signal
  }

  get isSliced(): boolean {
    return this.#coverage.isSliced
  }

  /** Undefined: the existing hold covers it. */
  pay(): Promise<Shortage | undefined> | undefined {
    const nanoUsd = this.#nanoUsd()
    const provider = this.#parts.deployment.upstream.name
    const paying = this.#coverage.payer.cover(this, { provider, nanoUsd })
    if (paying === undefined) this.#holds(nanoUsd)
    return paying?.then((shortage) => {
      if (shortage === undefined) this.#holds(nanoUsd)
      return shortage
    })
  }

  #holds(nanoUsd: number): void {
    if (this.#entry !== undefined) this.#entry.heldNanoUsd = nanoUsd
  }

  follow(entry: AttemptRecord | undefined): void {
    this.#entry = entry
    if (entry === undefined) return
    entry.heldNanoUsd = this.#nanoUsd()
    if (this.#isTimed && this.#parts.deployment.clocks.totalMs > timeSliceMs) this.#watchTime()
  }

  /** Reduces the cover to the known cost; keeps the whole hold if the cost is unknown. */
  async end(): Promise<void> {
    clearTimeout(this.#timer)
    const entry = this.#entry
    if (entry === undefined || entry.isUncertain) return
    const provider = this.#parts.deployment.upstream.name
    await this.#coverage.payer.cover(this, { provider, nanoUsd: attemptNanoUsd(entry) ?? 0 })
  }

  growing<Made>(made: Made): Made {
    return isAnswer(made) ? { ...made, bursts: this.#grown(made.bursts) } : made
  }

  /** Passes the answer on. The next slice is paid for before it is needed. */
  async *#grown(bursts: Bursts): AsyncGenerator<readonly Delta[], void, void> {
    const { payer, mostOutputTokens = 0, written: all } = this.#coverage
    const { marginTokens }: PayerTerms = payer.terms
    let written = 0
    for await (const burst of bursts) {
      const before = written
      for (const delta of burst) written += writtenIn(delta)
      if (all !== undefined) all.tokens += written - before
      while (written + marginTokens > this.#outputTokens && this.#outputTokens < mostOutputTokens) {
        await this.#payNext(Math.min(payer.terms.sliceTokens, mostOutputTokens - this.#outputTokens))
      }
      yield burst
    }
  }

  /** The next slice, or what is left of it. Rejects, and ends the attempt, if nothing more can be held. */
  async #payNext(sliceTokens: number): Promise<void> {
    let shortage = await this.#extend(sliceTokens)
    if (shortage !== undefined) {
      const { roomNanoUsd } = shortage
      const known = this.#nanoUsd()
      const left = mostWithin(sliceTokens, (tokens) => this.#nanoUsd(tokens) - known <= roomNanoUsd)
      if (left > 0) shortage = await this.#extend(left)
    }
    if (shortage === undefined) return
    this.#abort?.abort(shortage.failure)
    throw shortage.failure
  }

  async #extend(tokens: number): Promise<Shortage | undefined> {
    this.#outputTokens += tokens
    const shortage = await this.pay()
    if (shortage !== undefined) this.#outputTokens -= tokens
    return shortage
  }

  #nanoUsd(moreTokens = 0): number {
    const { deployment } = this.#parts
    const { use } = this.#coverage
    const promptTokens = use.promptTokens + this.#resumedTokens
    const outputTokens = this.#outputTokens + moreTokens
    return boundNanoUsd(deployment, { promptTokens, outputTokens }) + this.#timeNanoUsd
  }

  /** The text of a broken attempt is part of the prompt of the one that continues it. */
  #resumedBound(): number {
    const { use, isSliced, written, payer } = this.#coverage
    if (!this.#parts.context.record.row.flags.has('continued')) return 0
    return isSliced && written !== undefined ? written.tokens + payer.terms.marginTokens : use.outputTokens
  }

  #watchTime(): void {
    const { price } = this.#parts.deployment
    this.#timer = setTimeout(() => {
      if (this.#entry === undefined || this.#entry.totalMs > 0) return
      this.#timeNanoUsd += Math.ceil(((price.nanoUsdPerSecond ?? 0) * timeSliceMs) / 1000)
      void Promise.resolve(this.pay()).then((shortage) => {
        if (shortage === undefined) this.#watchTime()
        else this.#abort?.abort(shortage.failure)
      })
    }, timeSliceMs - aheadMs)
    this.#timer.unref()
  }
}

/** How long before its beginning a slice of time is paid for. */
const aheadMs = 5000

/** At least one token for a delta with text: the upstream's own count is known only at the end. */
function writtenIn({ value: chunk, word }: Delta): number {
  if (word !== undefined) return Math.max(1, tokensIn(word))
  let tokens = 0
  for (const { delta, text = '' } of chunk.choices) {
    const { content, reasoning_content: reasoning, tool_calls: calls } = delta ?? {}
    const texts = [
      text,
      content ?? '',
      reasoning ?? '',
      ...(calls ?? []).map((call) => call.function?.arguments ?? ''),
    ]
    const length = texts.reduce((sum, each) => sum + tokensIn(each), 0)
    if (length > 0) tokens += Math.max(1, length)
  }
  return tokens
}

function isAnswer(made: unknown): made is Answer {
  return typeof made === 'object' && made !== null && 'bursts' in made
}
