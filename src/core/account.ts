import type { Meter } from './meter.ts'
import type { Deployment } from './ports.ts'
import type { AttemptRecord } from './record.ts'
import type { OpenRecord } from './recorder.ts'
import { attemptNanoUsd, type Baseline, consumptionOf, spendingOf } from './spending.ts'

/** Follows the money of one call: what each attempt used, what it cost, and what was saved by choosing. */
export interface Account {
  /**
   * The meter of a part, to estimate by what its upstream did not tell. Where the part had another before, what was
   * answered until now is estimated by that one.
   */
  follow(part: number, meter: Estimator): void
  /** Writes the costs into the record, by what is known so far. Done once more when the record is closed. */
  settle(): void
}

export function openAccount(baseline: Deployment, record: OpenRecord): Account {
  const { row } = record
  const meters = new Map<number, Estimator>()
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
      const before = meters.get(part)
      for (const entry of row.attempts) if (entry.part === part) estimateUse(entry, before)
      meters.set(part, meter)
    },
    settle,
  }
}

type Estimator = Pick<Meter, 'estimate'>

/** What reached the caller was worked for, whether the upstream told of it or broke off before it could. */
function estimateUse(entry: AttemptRecord, meter: Estimator | undefined): void {
  if (meter === undefined || entry.used !== undefined) return
  const { usage, estimated } = meter.estimate()
  if (entry.outcome === 'superseded') {
    // It had the prompt, and what it had begun to answer nobody saw.
    entry.used = consumptionOf({ ...usage, completion_tokens: 0 }, entry.totalMs)
    entry.isEstimated = true
  }
  if (!entry.isDelivered) return
  entry.used = consumptionOf(usage, entry.totalMs)
  entry.isEstimated = estimated || entry.price.nanoUsdPerSecond !== undefined
}
