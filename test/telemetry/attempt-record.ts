import { unknownPrice } from '../../src/core/model/price.ts'
import { type AttemptRecord, startAttempt } from '../../src/core/model/record/record.ts'

/** An attempt that was answered, without a price. */
export function anAttempt(change: Partial<AttemptRecord> = {}): AttemptRecord {
  const attempt = startAttempt({ deployment: 'm@one', startMs: 0, price: unknownPrice })
  return { ...attempt, totalMs: 1, isDelivered: true, ...change }
}
