import { consumptionOf } from '../account/attempt-cost.ts'
import type { Meter } from '../account/meter.ts'
import type { Permit } from '../health/permit.ts'
import type { AnyCall, Call } from '../model/call.ts'
import { CallAbort, type CallSignal } from '../model/call-signal.ts'
import { asFailure, Failure } from '../model/failure.ts'
import type { LazySet } from '../model/lazy-set.ts'
import type { AttemptNotes, Deployment, Queue } from '../model/ports.ts'
import type { Price } from '../model/price.ts'
import { type AttemptRecord, startAttempt } from '../model/record/record.ts'
import type { CallSteps } from '../model/steps.ts'
import { traceHeaders } from '../model/trace.ts'
import { type ClaimedUsage, writeUsage } from '../model/usage/usage.ts'
import type { CallContext } from './call-context.ts'
import { type IdleWatch, watchClocks } from './idle-watch.ts'
import { endOfAttempt, loggingHeaders } from './step-details.ts'

/** One attempt of a call at a deployment. */
export type AttemptParts<Asked extends AnyCall = Call> = {
  readonly context: CallContext
  readonly call: Asked
  readonly deployment: Deployment
  /** The caller's signal: aborts with the Failure that says why. */
  readonly signal: CallSignal
  /** The time by which an answer must be committed, so that others can still be tried; absent: the deadline. */
  readonly commitBy?: number | undefined
  /** Which part of a split call, from 0. */
  readonly part: number
  /** Receives the attempt's outcome; undefined if health is not tracked. */
  readonly permit?: Permit | undefined
  /** The queue whose place it holds, returned at the end; undefined if places are not counted. */
  readonly place?: Pick<Queue, 'leave'> | undefined
  /** How long it waited for that place. */
  readonly queuedMs?: number | undefined
  /** It continues an answer that another attempt broke off. */
  readonly isResumed?: boolean | undefined
  /** It is sent on a new connection: the one before was lost on a reused connection. */
  readonly isFresh?: boolean | undefined
  /** Receives every delta of the committed answer, and no other. */
  readonly meter: Pick<Meter, 'note'>
}

/** The life of one attempt: its abort signal, its clocks, its row in the record. Ends exactly once. */
export interface OpenAttempt {
  /** `req_…-0`: the call's id, and the index of the attempt's row in the record. */
  readonly id: string
  /** The trace headers of its requests. A call with more attempts than parts is odd. */
  readonly trace: readonly string[] | undefined
  /** Aborts when the caller leaves, when a clock runs out, and when the attempt has failed. */
  readonly signal: CallSignal
  readonly notes: AttemptNotes
  /** The first visible delta, or the whole reply, has arrived. */
  commit(): void
  /** The whole answer has arrived. */
  end(): void
  /** Source of the upstream's reported usage, read when the attempt ends. */
  claims(source: UsageSource): void
  /** Ends the attempt, closes the connection, and returns the failure that counts: if the caller has left, that. */
  fail(thrown: unknown): Failure
  /** Ends the attempt as left by its reader, unless it has ended. */
  leave(): void
  /** Watches the idle and total clocks of a stream until disposed. */
  watch(timeout: () => Failure): IdleWatch
}

/**
 * The usage that an upstream has reported, and whether it covers all its work. Some upstreams report along the way, and
 * an answer that was broken off or cut here has only a partial one.
 */
export interface UsageSource {
  usage(): ClaimedUsage | undefined
  /** Everything requested has ended: what may follow is not billed. */
  isFinished(): boolean
  /** The answer was cut here while the upstream continues. Absent: never. */
  readonly isCut?: (() => boolean) | undefined
}

/** Begins an attempt: its row is in the record from now on. Throws the caller's reason if they have left. */
export function openAttempt(parts: AttemptParts<AnyCall>): OpenAttempt {
  parts.signal.throwIfAborted()
  return new Trace(parts)
}

/**
 * A class, not a closure: one per call, so that its methods live on the prototype. It listens to the caller's signal
 * itself.
 */
class Trace implements OpenAttempt {
  readonly id: string
  readonly trace: readonly string[] | undefined
  readonly notes: AttemptNotes = beginNotes()
  readonly #parts: AttemptParts<AnyCall>
  readonly #abort = new CallAbort()
  readonly #entry: AttemptRecord
  #usageSource: UsageSource = silent
  #hasEnded = false

  constructor(parts: AttemptParts<AnyCall>) {
    const { context, signal } = parts
    const { row } = context.record
    this.#parts = parts
    this.#entry = beginEntry(parts)
    const at = row.attempts.length - 1
    this.id = `${row.id}-${at}`
    this.trace = row.trace && traceHeaders(row.trace, at, at >= row.parts)
    if (context.steps !== undefined) this.#tellBeginning(context.steps)
    signal.addEventListener('abort', this)
  }

  #tellBeginning(steps: CallSteps): void {
    const { id: attempt } = this
    const { deployment, part, startMs, queuedMs, isResumed } = this.#entry
    const { isFresh, permit } = this.#parts
    const begun = { attempt, deployment, part, startMs: Math.round(startMs * 100) / 100, queuedMs }
    steps.tell('attempt begins', { ...begun, isResumed, isFresh, isTrial: permit?.isTrial })
    this.notes.onHeaders = (status, header) =>
      steps.tell('upstream answers', { attempt, deployment, ...loggingHeaders(status, header) })
  }

  get signal(): CallSignal {
    return this.#abort
  }

  /** The caller's signal aborted. */
  handleEvent(): void {
    // If the upstream continues and bills it anyway, reading to the end gives the exact cost.
    if (!isDrained(this.#parts)) this.#abort.abort(this.#parts.signal.reason)
  }

  commit(): void {
    this.#entry.firstTokenMs = this.#sinceStart()
    this.#entry.isDelivered = true
    keepNotes(this.#parts.context, this.#entry, this.notes)
  }

  end(): void {
    this.#end('ok', undefined)
  }

  claims(source: UsageSource): void {
    this.#usageSource = source
  }

  fail(thrown: unknown): Failure {
    const { signal, deployment } = this.#parts
    const reason: unknown = signal.aborted ? signal.reason : thrown
    const failure =
      reason instanceof Failure ? reason.at(deployment.upstream.name) : unread(reason, deployment)
    this.#end(failure.kind, failure)
    this.#abort.abort(failure)
    return failure
  }

  leave(): void {
    if (this.#hasEnded) return
    const { signal } = this.#parts
    const failure = signal.aborted ? asFailure(signal.reason) : new Failure('caller_left', 'The caller left.')
    this.#end(failure.kind, failure)
    this.#abort.abort(failure)
  }

  watch(timeout: () => Failure): IdleWatch {
    const { clocks } = this.#parts.deployment
    const { deadlineAt, clock } = this.#parts.context
    const leftMs = Math.min(clocks.totalMs - this.#sinceStart(), deadlineAt - clock.now())
    return watchClocks(clocks, leftMs, clock, () => this.#abort.abort(timeout()))
  }

  #sinceStart(): number {
    const { clock, startedAt } = this.#parts.context
    return clock.now() - startedAt - this.#entry.startMs
  }

  #end(outcome: string, failure: Failure | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const entry = this.#entry
    const { context, call, signal, permit, place } = this.#parts
    signal.removeEventListener('abort', this)
    entry.outcome = outcome
    entry.failure = failure
    entry.totalMs = this.#sinceStart()
    keepNotes(context, entry, this.notes)
    const { flags } = context.record.row
    const stopsOnAbort = this.#parts.deployment.stopsOnAbort === true
    keepUsage(entry, this.#usageSource, { flags, notes: this.notes, failure, stopsOnAbort })
    permit?.end({
      failure,
      // A reply that came as a whole has no first token of its own.
      firstTokenMs: call.stream ? entry.firstTokenMs : undefined,
      completionTokens: entry.used?.completionTokens,
      durationMs: entry.totalMs,
      workedMs: this.notes.billedMs,
    })
    place?.leave()
    context.steps?.tell('attempt ends', endOfAttempt(this.id, entry))
  }
}

/** Anything but a Failure thrown by an answer's reader means that the answer was unreadable. */
function unread(thrown: unknown, { upstream: { name: provider } }: Deployment): Failure {
  const message = "The gateway could not read the upstream's answer."
  return new Failure('invalid_response', message, { provider, cause: thrown, isBug: true })
}

const silent: UsageSource = { usage: () => undefined, isFinished: () => false, isCut: () => true }

/** Whether the answer is read to its end after the caller left. Answers that the gateway itself ended are not. */
export function isDrained({ signal, deployment }: AttemptParts<AnyCall>): boolean {
  const { reason } = signal
  return deployment.upstream.drains === true && reason instanceof Failure && reason.kind === 'caller_left'
}

function beginEntry(parts: AttemptParts<AnyCall>): AttemptRecord {
  const { context, deployment, part, queuedMs } = parts
  const { record, clock, startedAt } = context
  const entry = startAttempt({
    deployment: deployment.id,
    provider: deployment.upstream.name,
    part,
    startMs: clock.now() - startedAt,
    queuedMs,
    price: deployment.price,
    priceOrigin: deployment.priceOrigin,
    isResumed: parts.isResumed,
  })
  record.attemptBegins(entry)
  return entry
}

function beginNotes(): AttemptNotes {
  return {
    headersAt: undefined,
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
    billedMs: undefined,
    isUnsent: undefined,
    onHeaders: undefined,
    dropped: [],
    converted: [],
  }
}

function keepNotes({ record, startedAt }: CallContext, entry: AttemptRecord, notes: AttemptNotes): void {
  if (notes.headersAt !== undefined) entry.headersMs = notes.headersAt - startedAt - entry.startMs
  entry.upstreamStatus = notes.upstreamStatus
  entry.upstreamRequestId = notes.upstreamRequestId
  if (notes.unknownReason !== undefined) entry.unknownReason = notes.unknownReason
  for (const name of notes.dropped) record.row.dropped.add(name)
  for (const name of notes.converted) record.row.converted.add(name)
}

type Ending = {
  readonly flags: LazySet
  readonly notes: AttemptNotes
  readonly failure: Failure | undefined
  /** The upstream bills no more than it had sent when the connection closed. */
  readonly stopsOnAbort: boolean
}

/** What the upstream reported of its work; the rest is estimated elsewhere. */
function keepUsage(
  entry: AttemptRecord,
  source: UsageSource,
  { flags, notes: { billedMs, isUnsent, headersAt }, failure, stopsOnAbort }: Ending,
): void {
  const claimed = source.usage()
  const isTimed = entry.price.nanoUsdPerSecond !== undefined
  const mayBeBilled = failure?.mayBeBilled === true && isUnsent !== true
  entry.billedMs = billedMs
  if (claimed?.promptTokens !== undefined && claimed.completionTokens !== undefined) {
    const usage = writeUsage(claimed.raw, claimed.promptTokens, claimed.completionTokens)
    const isPart = !isOfAll(source, failure === undefined)
    if (isPart) flags.add('usage_partial')
    entry.used = consumptionOf(usage, billedMs ?? entry.totalMs)
    entry.isEstimated = isTimed ? billedMs === undefined : isPart
    return
  }
  if (failure === undefined) return
  const isKnown = entry.isDelivered && (stopsOnAbort || source.isFinished())
  entry.isUncertain = mayBeBilled && billedMs === undefined && !isKnown
  if (entry.isDelivered || isPaidByTokens(entry.price)) return
  if (billedMs !== undefined || (isTimed && mayBeBilled)) {
    entry.used = { ...noTokens, workedMs: billedMs ?? entry.totalMs }
    entry.isEstimated = billedMs === undefined
  } else if (isTimed && headersAt !== undefined) {
    // A machine billed per second may have worked on it, if only to refuse it: at nearly no cost, but that is not
    // certain.
    entry.isEstimated = true
  }
}

/** A finished answer may still fail because of what follows. */
function isOfAll(source: UsageSource, isAnswered: boolean): boolean {
  return source.isFinished() || (isAnswered && source.isCut?.() !== true)
}

const noTokens = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 } as const

function isPaidByTokens(price: Price): boolean {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output, nanoUsdPerSecond } = price
  return nanoUsdPerSecond === undefined && (input !== undefined || output !== undefined)
}
