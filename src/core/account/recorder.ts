import type { Clock, Sink } from '../model/ports.ts'
import type { CallRecord } from '../model/record/record.ts'
import { CallEntry, type OpenRecord, type OpenRecordParts } from './open-record.ts'

/** Opens the record of each call, and gives it to every sink when the call is over. */
export interface Recorder {
  open(id: string, dialect: string): OpenRecord
}

/**
 * `commit` resolves when the records given to the sinks are as durable as required before callers get the ends of their
 * answers.
 */
export function createRecorder(
  sinks: readonly Sink[],
  clock: Clock,
  slowThresholdMs: number,
  commit?: () => Promise<void>,
): Recorder {
  // Batched: a sink that runs for many rows in a row costs much less per row, because its code stays in the CPU cache.
  let pending: CallRecord[] = []
  /** Resolves when the pending rows are committed. Created only when needed. */
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
    pending.push(row)
    if (pending.length === 1) setImmediate(flush)
  }
  const parts: OpenRecordParts = { clock, keep, slowThresholdMs, whenCommitted: commit && whenCommitted }
  return { open: (id, dialect) => new CallEntry(id, dialect, parts) }
}
