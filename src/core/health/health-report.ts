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
  /** Undefined: the deployment as a whole, counting all its models. */
  readonly model: string | undefined
  readonly breaker: BreakerState
  readonly sinceEpochMs: number
  /** Consecutive failures of attempts and health probes. */
  readonly failuresInARow: number
  /** When the breaker admits the next probe; undefined while closed. */
  readonly opensUntilEpochMs: number | undefined
  readonly share: number
  /** When the rate limit that lowers the share ends; undefined if there is none. */
  readonly limitedUntilEpochMs: number | undefined
  readonly successRate: number
  readonly firstTokenMs: number | undefined
  readonly tokensPerSecond: number | undefined
  readonly inFlight: number
  /**
   * Attempts that ended since the start. `failed` and `limited` (429) count only failures caused by the upstream, or by
   * its refusal of our key or account.
   */
  readonly attempts: number
  readonly answered: number
  readonly failed: number
  readonly limited: number
  /** The kind of the latest failure. */
  readonly lastFailure: FailureKind | undefined
  /** The last health report; undefined if there was none. */
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

/** The source of a report. */
type Reported = Pick<HealthReport, 'id' | 'model' | 'lastFailure' | 'probe'> & {
  readonly breaker: Pick<Breaker, 'read'>
  readonly load: RateShare
  readonly observations: Observations
  readonly counts: Pick<HealthReport, 'inFlight' | 'attempts' | 'answered' | 'failed' | 'limited'>
}
