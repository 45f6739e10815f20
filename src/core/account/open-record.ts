import type { AnyCall } from '../model/call.ts'
import { asFailure, type Failure } from '../model/failure.ts'
import type { Clock, Deployment } from '../model/ports.ts'
import {
  type AttemptRecord,
  type Baseline,
  type CallRecord,
  type PlanNote,
  startRecord,
} from '../model/record/record.ts'
import type { RateHeadroom, TenantNote, Usage } from '../model/terms.ts'
import type { CallTrace } from '../model/trace.ts'
import type { Spending } from './attempt-cost.ts'
import { withTriedPlaces } from './tried-places.ts'

/**
 * A record that is being written, by its methods only. Disposing closes it: durations are set, and each sink gets it
 * once, before the event loop polls again.
 */
export interface OpenRecord extends Disposable {
  readonly row: CallRecord
  /** When the call began, on the clock's monotonic milliseconds. */
  readonly startedAt: number
  elapsedMs(): number

  /** Sets the call's trace context. */
  tracedAs(trace: CallTrace | undefined): void
  /** Sets the authenticated caller. */
  calledBy(caller: Caller): void
  /** Sets the tenant of the key. */
  belongsTo(tenant: TenantNote | undefined): void
  /** Sets the caller's own user, as it is kept. */
  usedBy(user: string | undefined): void
  /** Sets the state of the tightest rate limits. */
  ratedAt(headroom: RateHeadroom | undefined): void
  /** Sets the size of the body. */
  received(bytes: number): void
  /** The body is read and valid. */
  parsed(): void
  /** Sets the requested model and kind. */
  requested(call: AnyCall): void

  /** Sets the routing decision. */
  planned(note: PlanNote | undefined): void
  /** Sets how many upstream calls it was split into. */
  splitInto(parts: number): void
  /** Sets the budget or limit that applies, or the bound that it is sent with. */
  limitedBy(limit: string | undefined): void
  /** Notes a deployment that is skipped because its breaker is open. False if it is noted already. */
  passesOver(deployment: string): boolean
  /** Adds waiting time between attempts. */
  waited(ms: number): void
  attemptBegins(entry: AttemptRecord): void
  /** Sets the upstream's own name of the model. */
  answeredAs(upstreamModel: string): void
  /** Sets the deployment that answered, and the time to the first visible delta of the first part. */
  answeredBy(deployment: Deployment): void
  /** Every part has answered: sets the first-token time of an answer that is shown only as a whole. */
  completed(): void

  used(usage: Usage, isEstimated: boolean): void
  /** Sets its cost, as far as known; upstreams may have billed up to `uncertainNanoUsd` more. */
  costs(spending: Spending, baseline: Baseline | undefined, uncertainNanoUsd?: number): void

  /** The call is answered by an earlier answer, recorded as this attempt at the cache. */
  reuses(how: NonNullable<CallRecord['cache']>, call: AnyCall, entry: AttemptRecord): void
  /** The reused answer has begun. */
  reusedFrom(answer: ReusedAnswer): void
  /** Takes over everything that was done for this call under another record. */
  adopts(done: CallRecord): void

  /** The first byte is about to be sent: sets the gateway's own share of the time. */
  firstByte(): void
  /** A body of this many bytes is about to be sent with this status. */
  sends(status: number, bytes: number): void
  /** This many more bytes of it are about to be sent. */
  sendsMore(bytes: number): void
  /** Notes the failure of the call, and returns the Failure to answer with. */
  fail(thrown: unknown): Failure

  /** Runs when the record is closed, before the sinks get it. */
  atClose(settle: () => void): void
  /**
   * Closes the record, then runs `send`, which sends the end of the answer: at once, or, with a journal, when the
   * record is in it.
   */
  closeThen(send: () => void): void | Promise<void>
}

/** `id` is the full identity; `name` is for people. */
export type Caller = { readonly id: string; readonly name: string | undefined }

/** Facts of an answer that was made for another call. `dropped` and `converted` are names of parameters. */
export type ReusedAnswer = {
  readonly deployment: string | undefined
  readonly dropped?: Iterable<string>
  readonly converted?: Iterable<string>
}

export type OpenRecordParts = {
  readonly clock: Clock
  /** Receives the row of a closed record. */
  readonly keep: (row: CallRecord) => void
  /** Slower answers are marked as slow. */
  readonly slowThresholdMs: number
  /** Resolves when all rows so far are committed; undefined: answers do not wait for that. */
  readonly whenCommitted: (() => Promise<void>) | undefined
}

/** A class, not a closure: one per call, so that its methods live on the prototype. */
export class CallEntry implements OpenRecord {
  readonly row: CallRecord
  readonly startedAt: number
  /** The same object as `row`; only this class writes to it. */
  readonly #row: Written<CallRecord>
  readonly #attempts: AttemptRecord[]
  readonly #parts: OpenRecordParts
  #settle: (() => void) | undefined
  #isClosed = false

  constructor(id: string, dialect: string, parts: OpenRecordParts) {
    const attempts: AttemptRecord[] = []
    this.#attempts = attempts
    this.#row = startRecord(id, dialect, parts.clock.epochMs(), attempts)
    this.row = this.#row
    this.startedAt = parts.clock.now()
    this.#parts = parts
  }

  elapsedMs(): number {
    return this.#parts.clock.now() - this.startedAt
  }

  tracedAs(trace: CallTrace | undefined): void {
    this.#row.trace = trace
  }

  calledBy({ id, name }: Caller): void {
    this.#row.owner = id
    this.#row.principal = name
  }

  belongsTo(tenant: TenantNote | undefined): void {
    this.#row.tenant = tenant
  }

  usedBy(user: string | undefined): void {
    this.#row.user = user
  }

  ratedAt(headroom: RateHeadroom | undefined): void {
    this.#row.rates = headroom
  }

  received(bytes: number): void {
    this.#row.requestBytes = bytes
  }

  parsed(): void {
    this.#row.parseMs = this.elapsedMs()
  }

  requested(call: AnyCall): void {
    this.#row.kind = call.kind
    this.#row.model = call.model
    if ('stream' in call) this.#row.stream = call.stream
  }

  planned(note: PlanNote | undefined): void {
    this.#row.plan = note
  }

  splitInto(parts: number): void {
    this.#row.parts = parts
  }

  limitedBy(limit: string | undefined): void {
    this.#row.limit = limit
  }

  passesOver(deployment: string): boolean {
    const { passedOver = [] } = this.#row
    if (passedOver.some((one) => one.deployment === deployment)) return false
    this.#row.passedOver = [...passedOver, { deployment, why: 'breaker' }]
    return true
  }

  waited(ms: number): void {
    this.#row.backoffMs += ms
  }

  attemptBegins(entry: AttemptRecord): void {
    this.#attempts.push(entry)
  }

  answeredAs(upstreamModel: string): void {
    this.#row.upstreamModel = upstreamModel
  }

  answeredBy({ id, upstream, successor }: Deployment): void {
    const row = this.#row
    row.firstTokenMs ??= this.#sinceFirstAttempt()
    row.deployment ??= id
    row.provider ??= upstream.name
    row.successor ??= successor
  }

  completed(): void {
    this.#row.firstTokenMs = this.#sinceFirstAttempt()
  }

  used(usage: Usage, isEstimated: boolean): void {
    this.#row.usage = usage
    this.#row.usageEstimated = isEstimated
  }

  costs(spending: Spending, baseline: Baseline | undefined, uncertainNanoUsd = 0): void {
    const row = this.#row
    row.uncertainNanoUsd = uncertainNanoUsd
    row.baseline = baseline
    row.costNanoUsd = spending.costNanoUsd
    row.costEstimated = spending.isEstimated
    row.baselineNanoUsd = spending.baselineNanoUsd
    row.savedNanoUsd = spending.savedNanoUsd
  }

  reuses(how: NonNullable<CallRecord['cache']>, call: AnyCall, entry: AttemptRecord): void {
    this.requested(call)
    this.#row.cache = how
    this.#row.provider = 'cache'
    this.#row.costNanoUsd = 0
    this.#attempts.push(entry)
  }

  reusedFrom({ deployment, dropped = [], converted = [] }: ReusedAnswer): void {
    const row = this.#row
    row.firstTokenMs = this.elapsedMs()
    row.deployment = deployment
    for (const name of dropped) row.dropped.add(name)
    for (const name of converted) row.converted.add(name)
  }

  adopts(done: CallRecord): void {
    const { kind, model, stream, provider, deployment, successor, parts, firstTokenMs, backoffMs } = done
    const { usage, usageEstimated, costNanoUsd, costEstimated, baseline, baselineNanoUsd, savedNanoUsd } =
      done
    const row = this.#row
    Object.assign(row, {
      kind,
      model,
      stream,
      provider,
      deployment,
      successor,
      parts,
      firstTokenMs,
      backoffMs,
    })
    Object.assign(row, { usage, usageEstimated, costNanoUsd, costEstimated })
    Object.assign(row, { baseline, baselineNanoUsd, savedNanoUsd })
    this.#attempts.push(...done.attempts)
    for (const name of done.dropped) row.dropped.add(name)
    for (const name of done.converted) row.converted.add(name)
    for (const name of done.flags) row.flags.add(name)
  }

  firstByte(): void {
    const { attempts } = this.#row
    const [first] = attempts
    const upstreamMs = attempts.reduce(
      (until, attempt) => Math.max(until, attempt.startMs + (attempt.firstTokenMs ?? attempt.totalMs)),
      first?.startMs ?? 0,
    )
    // The first attempt started after its wait in the queue.
    const firstStartMs = (first?.startMs ?? 0) - (first?.queuedMs ?? 0)
    this.#row.overheadMs = Math.max(0, this.elapsedMs() - (upstreamMs - firstStartMs))
  }

  sends(status: number, bytes: number): void {
    this.#row.status = status
    this.#row.responseBytes = bytes
  }

  sendsMore(bytes: number): void {
    this.#row.responseBytes += bytes
  }

  fail(thrown: unknown): Failure {
    const row = this.#row
    const failure = withTriedPlaces(asFailure(thrown), row.attempts)
    row.failure = failure
    row.outcome = failure.kind === 'caller_left' ? 'left' : 'failed'
    row.deployment ??= row.attempts.at(-1)?.deployment
    row.provider ??= failure.provider
    row.limit = failure.headers['x-pandotate-limit'] ?? row.limit
    // A caller that left during the answer did not get what the status in the headers promised.
    if (row.status === 0 || row.outcome === 'left') row.status = failure.status
    return failure
  }

  atClose(settle: () => void): void {
    this.#settle = settle
  }

  closeThen(send: () => void): void | Promise<void> {
    const { whenCommitted } = this.#parts
    if (this.#isClosed || whenCommitted === undefined) return send()
    this[Symbol.dispose]()
    return whenCommitted().then(send)
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#settle?.()
    const row = this.#row
    row.totalMs = this.elapsedMs()
    row.slow = row.totalMs > this.#parts.slowThresholdMs
    this.#parts.keep(row)
  }

  #sinceFirstAttempt(): number {
    return this.elapsedMs() - (this.#row.attempts[0]?.startMs ?? 0)
  }
}

type Written<Row> = { -readonly [Name in keyof Row]: Row[Name] }
