import type { Failure } from '../model/failure.ts'
import type { Pass, Verdict } from './breaker.ts'
import { type HealthEntry, noteChange } from './health-entry.ts'
import { healthMessageOn } from './health-message.ts'
import { concernsAll, verdictOn } from './verdict.ts'

/** A permit for one attempt. Only its first end counts. Disposing it without an end records nothing. */
export interface Permit extends Disposable {
  /** True for a trial, which tests whether a failing deployment has recovered. */
  readonly isTrial: boolean
  end(ending: Ending): void
}

export type Ending = {
  /** Undefined: it answered. A caller that left and a failure that is not the upstream's count neither way. */
  readonly failure: Failure | undefined
  /** From the attempt's start; undefined if the answer came whole. */
  readonly firstTokenMs: number | undefined
  /** Undefined if they were not counted. */
  readonly completionTokens: number | undefined
  readonly durationMs: number
  /** How long the upstream says it worked; absent: all the time. */
  readonly workedMs?: number | undefined
}

/** `passOfWhole`: the deployment's own pass, if the entry is one model there. */
export function permit(entry: HealthEntry, pass: Pass, passOfWhole?: Pass): Permit {
  const { counts, whole } = entry
  counts.inFlight++
  if (whole !== undefined) whole.counts.inFlight++
  if (counts.attempts === 0) noteChange(entry)
  return new AttemptPermit(entry, pass, passOfWhole)
}

/** A class, not a closure: one per attempt, so that its methods live on the prototype. */
class AttemptPermit implements Permit {
  readonly #entry: HealthEntry
  readonly #pass: Pass
  readonly #passOfWhole: Pass | undefined
  #hasEnded = false

  constructor(entry: HealthEntry, pass: Pass, passOfWhole: Pass | undefined) {
    this.#entry = entry
    this.#pass = pass
    this.#passOfWhole = passOfWhole
  }

  get isTrial(): boolean {
    return this.#pass.isProbe || this.#passOfWhole?.isProbe === true
  }

  end(ending: Ending): void {
    if (this.#hasEnded) return
    const { load, whole } = this.#entry
    const { failure } = ending
    const verdict = verdictOn(failure)
    note(this.#entry, ending, verdict)
    if (whole !== undefined) note(whole, ending, verdict)
    // Rate limits count per model. If the limit is shared, each model will be refused in turn.
    const before = failure === undefined ? undefined : load.limitedUntil()
    if (failure?.blame === 'load') load.limited(failure.retryAfterMs)
    if (failure !== undefined) this.#publish(failure, before)
    if (failure === undefined || whole === undefined) this.#close(verdict, verdict)
    else if (concernsAll(failure)) this.#close('neither', verdict)
    else this.#close(verdict, 'neither')
    this.#watch(failure)
  }

  [Symbol.dispose](): void {
    if (!this.#hasEnded) this.#close('neither', 'neither')
  }

  #publish(failure: Failure, before: number | undefined): void {
    const { id, model, whole, load, onMessage } = this.#entry
    if (onMessage === undefined) return
    const subject = { deployment: id, model: whole !== undefined && concernsAll(failure) ? undefined : model }
    const message = healthMessageOn(failure, subject, { before, until: load.limitedUntil() })
    if (message !== undefined) onMessage(message)
  }

  /** Problems that concern all models are reported only for the deployment as a whole. */
  #watch(failure: Failure | undefined): void {
    const entry = this.#entry
    const { whole } = entry
    if (whole === undefined || failure === undefined || !concernsAll(failure)) {
      entry.watch.note(entry.breaker, failure)
    }
    if (whole !== undefined && (failure === undefined || concernsAll(failure))) {
      whole.watch.note(whole.breaker, failure)
    }
  }

  #close(verdict: Verdict, verdictOnWhole: Verdict): void {
    this.#hasEnded = true
    const entry = this.#entry
    const { whole } = entry
    entry.breaker.end(this.#pass, verdict)
    if (this.#passOfWhole !== undefined) whole?.breaker.end(this.#passOfWhole, verdictOnWhole)
    if (this.isTrial && verdict === 'answered') {
      entry.observations.recover()
      whole?.observations.recover()
    }
    entry.counts.inFlight--
    noteChange(entry)
    if (whole === undefined) return
    whole.counts.inFlight--
    noteChange(whole)
  }
}

function note(entry: HealthEntry, ending: Ending, verdict: Verdict): void {
  const { counts, observations } = entry
  const { failure } = ending
  const isLimited = failure?.blame === 'load'
  counts.attempts++
  if (verdict === 'answered') counts.answered++
  else if (verdict !== 'neither') counts.failed++
  if (isLimited) counts.limited++
  if (verdict !== 'neither') {
    const { firstTokenMs, completionTokens, durationMs, workedMs } = ending
    observations.note({
      isAnswered: verdict === 'answered',
      firstTokenMs,
      completionTokens,
      durationMs,
      workedMs,
    })
  }
  if (failure !== undefined && (isLimited || verdict !== 'neither')) entry.lastFailure = failure.kind
}
