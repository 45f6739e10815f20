import { asFailure, type Failure } from './failure.ts'
import type { Clock, Sink } from './ports.ts'
import { type CallRecord, startRecord } from './record.ts'

/** Opens the record of each call, and hands it to every sink once the call is over. */
export interface Recorder {
  open(id: string, dialect: string): OpenRecord
}

/** A record being written. Disposing it closes it: the durations are set, and the sinks get it, once. */
export interface OpenRecord extends Disposable {
  readonly row: CallRecord
  /** When the call began, on the clock's monotonic milliseconds. */
  readonly startedAt: number
  elapsedMs(): number
  /** Notes how the call failed, and gives the Failure to answer with. */
  fail(thrown: unknown): Failure
}

export function createRecorder(sinks: readonly Sink[], clock: Clock, slowThresholdMs: number): Recorder {
  return {
    open(id, dialect) {
      const startedAt = clock.now()
      const row = startRecord(id, dialect)
      const elapsedMs = () => clock.now() - startedAt
      let closed = false
      return {
        row,
        startedAt,
        elapsedMs,
        fail(thrown) {
          const failure = asFailure(thrown)
          row.failure = failure
          row.outcome = failure.kind === 'caller_left' ? 'left' : 'failed'
          if (row.status === 0) row.status = failure.status
          return failure
        },
        [Symbol.dispose]() {
          if (closed) return
          closed = true
          row.totalMs = elapsedMs()
          row.slow = row.totalMs > slowThresholdMs
          for (const sink of sinks) sink.write(row)
        },
      }
    },
  }
}
