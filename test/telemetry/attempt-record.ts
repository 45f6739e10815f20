import { unknownPrice } from '../../src/core/model/price.ts'
import type { AttemptRecord } from '../../src/core/model/record/record.ts'

/** An attempt that was answered, without a price. */
export function anAttempt(change: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    deployment: 'm@one',
    part: 0,
    startMs: 0,
    headersMs: undefined,
    firstTokenMs: undefined,
    totalMs: 1,
    outcome: 'ok',
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
    price: unknownPrice,
    used: undefined,
    isEstimated: false,
    isDelivered: true,
    isResumed: false,
    isUncertain: false,
    costNanoUsd: undefined,
    ...change,
  }
}
