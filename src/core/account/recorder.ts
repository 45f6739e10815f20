import type { AnyCall } from '../model/call.ts'
import { asFailure, type Failure } from '../model/failure.ts'
import type { Clock, Deployment, Sink } from '../model/ports.ts'
import { type CallRecord, startRecord } from '../model/record/record.ts'
import type { Usage } from '../model/terms.ts'
import { withTriedPlaces } from './tried-places.ts'

/** Opens the record of each call, and gives it to every sink when the call is over. */
export interface Recorder {
  open(id: string, dialect: string): OpenRecord
}

/**
 * A record being written. Disposing it closes it: durations are set, and the sinks get it once, before the event loop
 * waits again.
 */
export interface OpenRecord extends Disposable {
  readonly row: CallRecord
  /** When the call began, on the clock's monotonic milliseconds. */
  readonly startedAt: number
  elapsedMs(): number
  /** Who calls. */
  calledBy(caller: Caller): void
  /** What is asked for. */
  asked(call: AnyCall): void
  /** Where it may go, and why. */
  planned(note: CallRecord['plan']): void
  /** How many upstream calls it was split into. */
  splitInto(parts: number): void
  /** Who answered, and how long it took until the first part had something to show. */
  answeredBy(deployment: Deployment): void
  used(usage: Usage, isEstimated: boolean): void
  /** A body of so many bytes is about to be sent with this status. */
  sends(status: number, bytes: number): void
  /** Runs when the record is closed, before the sinks get it. */
  atClose(settle: () => void): void
  /**
   * Closes the record, then runs `send`, which sends the end of the answer: at once, or with a journal, when the record
   * is in it.
   */
  closeThen(send: () => void): void | Promise<void>
  /** Notes how the call failed, and returns the Failure to answer with. */
  fail(thrown: unknown): Failure
}

/** `id` identifies them in full; `name` is for people. */
export type Caller = { readonly id: string; readonly name: string | undefined }

/** `commit` resolves when what the sinks got is as safe as it must be before callers get the ends of their answers. */
export function createRecorder(
  sinks: readonly Sink[],
  clock: Clock,
  slowThresholdMs: number,
  commit?: () => Promise<void>,
): Recorder {
  // Batched: a sink that runs for many rows in a row costs much less per row, because its code stays in the CPU cache.
  let pending: CallRecord[] = []
  /** Resolves when the pending rows are committed. Created only if somebody waits. */
  let committed: PromiseWithResolvers<void> | undefined
  const flush = () => {
    const rows = pending
    const waiting = committed
    pending = []
    committed = undefined
    for (const sink of sinks) for (const row of rows) sink.write(row)
    if (waiting !== undefined) void commit?.().then(waiting.resolve)
  }
  const whenCommitted = () => {
    committed ??= Promise.withResolvers()
    return committed.promise
  }
  const keep = (row: CallRecord) => {
    row.slow = row.totalMs > slowThresholdMs
    pending.push(row)
    if (pending.length === 1) setImmediate(flush)
  }
  const wait = commit && whenCommitted
  return { open: (id, dialect) => new Entry(startRecord(id, dialect, clock.epochMs()), clock, keep, wait) }
}

/** A class, not a closure: one per call, so that its methods live on the prototype. */
class Entry implements OpenRecord {
  readonly row: CallRecord
  readonly startedAt: number
  readonly #clock: Clock
  readonly #keep: (row: CallRecord) => void
  readonly #whenCommitted: (() => Promise<void>) | undefined
  #settle: (() => void) | undefined
  #isClosed = false

  constructor(
    row: CallRecord,
    clock: Clock,
    keep: (row: CallRecord) => void,
    whenCommitted: (() => Promise<void>) | undefined,
  ) {
    this.row = row
    this.startedAt = clock.now()
    this.#clock = clock
    this.#keep = keep
    this.#whenCommitted = whenCommitted
  }

  elapsedMs(): number {
    return this.#clock.now() - this.startedAt
  }

  atClose(settle: () => void): void {
    this.#settle = settle
  }

  closeThen(send: () => void): void | Promise<void> {
    if (this.#isClosed || this.#whenCommitted === undefined) return send()
    this[Symbol.dispose]()
    return this.#whenCommitted().then(send)
  }

  calledBy({ id, name }: Caller): void {
    this.row.owner = id
    this.row.principal = name
  }

  asked(call: AnyCall): void {
    this.row.kind = call.kind
    this.row.model = call.model
    if ('stream' in call) this.row.stream = call.stream
  }

  planned(note: CallRecord['plan']): void {
    this.row.plan = note
  }

  splitInto(parts: number): void {
    this.row.parts = parts
  }

  answeredBy({ id, upstream, successor }: Deployment): void {
    const { row } = this
    row.firstTokenMs ??= this.elapsedMs() - (row.attempts[0]?.startMs ?? 0)
    row.deployment ??= id
    row.provider ??= upstream.name
    row.successor ??= successor
  }

  used(usage: Usage, isEstimated: boolean): void {
    this.row.usage = usage
    this.row.usageEstimated = isEstimated
  }

  sends(status: number, bytes: number): void {
    this.row.status = status
    this.row.responseBytes = bytes
  }

  fail(thrown: unknown): Failure {
    const { row } = this
    const failure = withTriedPlaces(asFailure(thrown), row.attempts)
    row.failure = failure
    row.outcome = failure.kind === 'caller_left' ? 'left' : 'failed'
    // A caller that left in mid-answer did not get what the status in the headers promised.
    if (row.status === 0 || row.outcome === 'left') row.status = failure.status
    return failure
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#settle?.()
    this.row.totalMs = this.elapsedMs()
    this.#keep(this.row)
  }
}
