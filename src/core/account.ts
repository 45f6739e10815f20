import type { Meter } from './meter.ts'
import type { Deployment } from './ports.ts'
import type { AttemptRecord } from './record.ts'
import type { OpenRecord } from './recorder.ts'
import { attemptNanoUsd, type Baseline, consumptionOf, spendingOf } from './spending.ts'

/** Follows the money of one call: what each attempt used, what it cost, and what was saved by choosing. */
export interface Account {
  /** The meter of a part, to estimate by what its upstream did not tell. */
  follow(part: number, meter: Meter): void
  /** Writes the costs into the record, by what is known so far. Done once more when the record is closed. */
  settle(): void
}

export function openAccount(baseline: Deployment, record: OpenRecord): Account {
  const { row } = record
  const meters = new Map<number, Meter>()
  const settle = () => {
    for (const entry of row.attempts) {
      estimateUse(entry, meters.get(entry.part))
      entry.costNanoUsd = attemptNanoUsd(entry)
    }
    // How long the work would have taken there is not known: where time is paid for, nothing is claimed.
    const there: Baseline = { deployment: baseline.id, price: baseline.price, workedMs: undefined }
    const { costNanoUsd, isEstimated, baselineNanoUsd, savedNanoUsd } = spendingOf(row.attempts, there)
    row.baseline = there
    row.costNanoUsd = costNanoUsd
    row.costEstimated = isEstimated
    row.baselineNanoUsd = baselineNanoUsd
    row.savedNanoUsd = savedNanoUsd
  }
  record.atClose(settle)
  return {
    follow(part, meter) {
      meters.set(part, meter)
    },
    settle,
  }
}

/** What reached the caller was worked for, whether the upstream told of it or broke off before it could. */
function estimateUse(entry: AttemptRecord, meter: Meter | undefined): void {
  if (!entry.isDelivered || meter === undefined || entry.used !== undefined) return
  const { usage, estimated } = meter.estimate()
  entry.used = consumptionOf(usage, entry.totalMs)
  entry.isEstimated = estimated || entry.price.nanoUsdPerSecond !== undefined
}
