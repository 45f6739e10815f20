import type { FailureKind } from '../model/failure.ts'
import type { Clock } from '../model/ports.ts'
import type { Breaker } from './breaker.ts'
import type { BreakerState } from './health-snapshot.ts'
import type { Observations } from './observations.ts'
import type { Probe } from './probe.ts'
import type { RateShare } from './rate-share.ts'

/** One deployment, or one model at it, as shown to operators. Times are epoch milliseconds. */
export type HealthReport = {
  readonly id: string
  /** Undefined: the deployment as a whole, with the counts of all its models. */
  readonly model: string | undefined
  readonly breaker: BreakerState
  readonly sinceEpochMs: number
  /** In a row, up to now, of attempts and of probes of its health. */
  readonly failuresInARow: number
  /** When the breaker lets a probe through; undefined while closed. */
  readonly opensUntilEpochMs: number | undefined
  readonly share: number
  /** Until when the rate limit holds that lowers the share; undefined when there is none. */
  readonly limitedUntilEpochMs: number | undefined
  readonly successRate: number
  readonly firstTokenMs: number | undefined
  readonly tokensPerSecond: number | undefined
  readonly inFlight: number
  /**
   * Attempts that ended, since the start; `failed` and `limited` (429) are those that were the upstream's doing, or
   * that it refused our key or account.
   */
  readonly attempts: number
  readonly answered: number
  readonly failed: number
  readonly limited: number
  /** Of those that failed or were limited, how the last one did. */
  readonly lastFailure: FailureKind | undefined
  /** The last one; undefined where none was made. */
  readonly probe: Probe | undefined
}

export function reportOf(
  { id, model, breaker, load, observations, counts, lastFailure, probe }: Reported,
  clock: Clock,
): HealthReport {
  const { state, since, failures, opensUntil } = breaker.read()
  const limitedUntil = load.limitedUntil()
  const epochOf = (at: number) => Math.round(clock.epochMs() + at - clock.now())
  return {
    ...{ id, model },
    breaker: state,
    sinceEpochMs: epochOf(since),
    failuresInARow: failures,
    opensUntilEpochMs: opensUntil === undefined ? undefined : epochOf(opensUntil),
    share: load.share(),
    limitedUntilEpochMs: limitedUntil === undefined ? undefined : epochOf(limitedUntil),
    successRate: observations.successRate(),
    firstTokenMs: observations.firstTokenMs(),
    tokensPerSecond: observations.tokensPerSecond(),
    ...counts,
    lastFailure,
    probe,
  }
}

/** Who knows what there is to be told. */
type Reported = Pick<HealthReport, 'id' | 'model' | 'lastFailure' | 'probe'> & {
  readonly breaker: Pick<Breaker, 'read'>
  readonly load: RateShare
  readonly observations: Observations
  readonly counts: Pick<HealthReport, 'inFlight' | 'attempts' | 'answered' | 'failed' | 'limited'>
}
