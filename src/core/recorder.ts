import { asFailure, type Failure } from './failure.ts'
import type { Clock, Sink } from './ports.ts'
import { type CallRecord, startRecord } from './record.ts'

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
  /** Notes how the call failed, and gives the Failure to answer with. */
  fail(thrown: unknown): Failure
}

export function createRecorder(sinks: readonly Sink[], clock: Clock, slowThresholdMs: number): Recorder {
  // Run for many rows at once, a sink costs each of them much less than between two calls, its code no longer cached.
  let pending: CallRecord[] = []
  const flush = () => {
    const rows = pending
    pending = []
    for (const sink of sinks) for (const row of rows) sink.write(row)
  }
  const keep = (row: CallRecord) => {
    row.slow = row.totalMs > slowThresholdMs
    pending.push(row)
    if (pending.length === 1) setImmediate(flush)
  }
  return { open: (id, dialect) => new Entry(startRecord(id, dialect, clock.epochMs()), clock, keep) }
}

/** A class, as what every call has anew: its methods are made once. */
class Entry implements OpenRecord {
  readonly row: CallRecord
  readonly startedAt: number
  readonly #clock: Clock
  readonly #keep: (row: CallRecord) => void
  #settle: (() => void) | undefined
  #isClosed = false

  constructor(row: CallRecord, clock: Clock, keep: (row: CallRecord) => void) {
    this.row = row
    this.startedAt = clock.now()
    this.#clock = clock
    this.#keep = keep
  }

  elapsedMs(): number {
    return this.#clock.now() - this.startedAt
  }

  atClose(settle: () => void): void {
    this.#settle = settle
  }

  fail(thrown: unknown): Failure {
    const { row } = this
    const failure = asFailure(thrown)
    row.failure = failure
    row.outcome = failure.kind === 'caller_left' ? 'left' : 'failed'
    // Whoever left in the middle did not get what the status in the headers promised.
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
