import { asFailure, type Failure } from '../model/failure.ts'
import type { Clock, Sink } from '../model/ports.ts'
import { type CallRecord, startRecord } from '../model/record/record.ts'
import { withTriedPlaces } from './tried-places.ts'

/** Opens the record of each call, and hands it to every sink once the call is over. */
export interface Recorder {
  open(id: string, dialect: string): OpenRecord
}

/**
 * A record being written. Disposing it closes it: the durations are set, and the sinks get it, once, before the event
 * loop waits again.
 */
export interface OpenRecord extends Disposable {
  readonly row: CallRecord
  /** When the call began, on the clock's monotonic milliseconds. */
  readonly startedAt: number
  elapsedMs(): number
  /** Runs when the record is closed, before the sinks get it. */
  atClose(settle: () => void): void
  /**
   * Closes the record, then runs `send`, which sends the end of the answer: at once, or where there is a journal, when
   * the record is in it.
   */
  closeThen(send: () => void): void | Promise<void>
  /** Notes how the call failed, and gives the Failure to answer with. */
  fail(thrown: unknown): Failure
}

/**
 * `commit` resolves once what the sinks were given is as safe as it must be before callers have their answers' ends.
 */
export function createRecorder(
  sinks: readonly Sink[],
  clock: Clock,
  slowThresholdMs: number,
  commit?: () => Promise<void>,
): Recorder {
  // Run for many rows at once, a sink costs each of them much less than between two calls, its code no longer cached.
  let pending: CallRecord[] = []
  /** Resolves once the pending rows are committed. Made where somebody waits for it. */
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

  fail(thrown: unknown): Failure {
    const { row } = this
    const failure = withTriedPlaces(asFailure(thrown), row.attempts)
    row.failure = failure
    row.outcome = failure.kind === 'caller_left' ? 'left' : 'failed'
    // A caller that left in the middle did not get what the status in the headers promised.
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
