import type { Pace } from './observations.ts'

/** Recent health of a deployment. */
export type HealthSnapshot = {
  readonly breaker: BreakerState
  /** 1, or less while the upstream limits the rate: the share of its usual calls that it should get. */
  readonly share: number
  /** The success rate of its calls; 1 if there were none. */
  readonly successRate: number
  /** Undefined until an answer was measured. */
  readonly firstTokenMs: number | undefined
  /** Tokens per second after the first. Undefined until a stream was measured. */
  readonly tokensPerSecond: number | undefined
  /** The last known duration of answers; undefined if there never was one. */
  readonly pace: Pace | undefined
  /** It answered recently. */
  readonly isMeasured: boolean
  /** It was never tried, and is not being tried now. */
  readonly isUntried: boolean
}

/** `open`: no calls. `half-open`: one probe call. */
export type BreakerState = 'closed' | 'open' | 'half-open'
