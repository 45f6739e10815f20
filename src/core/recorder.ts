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
  return {
    open(id, dialect) {
      const startedAt = clock.now()
      const row = startRecord(id, dialect, clock.epochMs())
      const elapsedMs = () => clock.now() - startedAt
      let closed = false
      let beforeClose: (() => void) | undefined
      return {
        row,
        startedAt,
        elapsedMs,
        atClose(settle) {
          beforeClose = settle
        },
        fail(thrown) {
          const failure = asFailure(thrown)
          row.failure = failure
          row.outcome = failure.kind === 'caller_left' ? 'left' : 'failed'
          // Whoever left in the middle did not get what the status in the headers promised.
          if (row.status === 0 || row.outcome === 'left') row.status = failure.status
          return failure
        },
        [Symbol.dispose]() {
          if (closed) return
          closed = true
          beforeClose?.()
          row.totalMs = elapsedMs()
          row.slow = row.totalMs > slowThresholdMs
          pending.push(row)
          if (pending.length === 1) setImmediate(flush)
        },
      }
    },
  }
}
