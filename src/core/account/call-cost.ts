import type { Deployment } from '../model/ports.ts'
import type { AttemptRecord, Baseline } from '../model/record/record.ts'
import { writeUsage } from '../model/usage/usage.ts'
import { attemptNanoUsd, consumptionOf, spendingOf, uncertainNanoUsd } from './attempt-cost.ts'
import type { Meter } from './meter.ts'
import type { OpenRecord } from './open-record.ts'

/** Tracks the money of one call: what each attempt used, what it cost, and what the choice of deployment saved. */
export interface CallCost {
  /**
   * Sets the meter of a part, which estimates what the upstream does not report. Attempts so far are estimated by the
   * previous meter, if there was one.
   */
  follow(part: number, meter: Estimator): void
  /** Writes the costs known so far into the record. Repeated when the record closes. */
  settle(): void
}

export function openCallCost(baseline: Deployment, record: OpenRecord): CallCost {
  const account = new CallAccount(baseline, record)
  record.atClose(() => account.close())
  return account
}

/** A class, not a closure: one per call, so that its methods live on the prototype. */
class CallAccount implements CallCost {
  readonly #baseline: Deployment
  readonly #record: OpenRecord
  /** By part. */
  readonly #meters: Estimator[] = []

  constructor(baseline: Deployment, record: OpenRecord) {
    this.#baseline = baseline
    this.#record = record
  }

  follow(part: number, meter: Estimator): void {
    const before = this.#meters[part]
    for (const entry of this.#record.row.attempts) if (entry.part === part) estimateUse(entry, before)
    this.#meters[part] = meter
  }

  settle(): void {
    const { row } = this.#record
    for (const entry of row.attempts) {
      estimateUse(entry, this.#meters[entry.part])
      entry.costNanoUsd = attemptNanoUsd(entry)
    }
    const uncertain = row.attempts.reduce((sum, entry) => sum + uncertainNanoUsd(entry), 0)
    const { id, price } = this.#baseline
    // How long the work would have taken at the baseline is unknown: with billing by time, no saving is claimed.
    const there: Baseline = { deployment: id, price, workedMs: undefined }
    this.#record.costs(spendingOf(row.attempts, there), there, uncertain)
  }

  close(): void {
    const { row } = this.#record
    for (const entry of row.attempts) if (isUnderWay(entry)) abandonAnswer(entry, this.#record.elapsedMs())
    this.settle()
  }
}

type Estimator = Pick<Meter, 'estimate'>

/** The loser of a hedge that is still being read outlives the call. */
function isUnderWay({ outcome, isDelivered }: AttemptRecord): boolean {
  return outcome === 'ok' && !isDelivered
}

function abandonAnswer(entry: AttemptRecord, elapsedMs: number): void {
  entry.outcome = 'superseded'
  entry.totalMs = elapsedMs - entry.startMs
  entry.isUncertain = true
}

/**
 * Delivered work counts, whether the upstream reported it or broke off first. An attempt that failed before delivery
 * and may be billed counts its prompt; how much it had generated is unknown.
 */
function estimateUse(entry: AttemptRecord, meter: Estimator | undefined): void {
  const { isDelivered, isUncertain, billedMs } = entry
  if (meter === undefined || entry.used !== undefined || !(isDelivered || isUncertain)) return
  const { usage, estimated } = meter.estimate()
  const known = isDelivered ? usage : writeUsage({}, usage.prompt_tokens, 0)
  entry.used = consumptionOf(known, billedMs ?? entry.totalMs)
  const isTimed = entry.price.nanoUsdPerSecond !== undefined
  entry.isEstimated = isTimed ? billedMs === undefined : estimated || !isDelivered
}
