import type { Pace } from './observations.ts'

/** Recent health of a deployment. */
export type HealthSnapshot = {
  readonly breaker: BreakerState
  /** 1, or less while the upstream limits the rate: the part of its usual calls that it should get. */
  readonly share: number
  /** Of the calls that were its to answer, the part it answered; 1 when there were none. */
  readonly successRate: number
  /** Undefined until there was an answer to measure. */
  readonly firstTokenMs: number | undefined
  /** After the first. Undefined until there was a stream to measure. */
  readonly tokensPerSecond: number | undefined
  /** How long answers took, when there last was one; undefined: there never was. */
  readonly pace: Pace | undefined
  /** There was an answer recently. */
  readonly isMeasured: boolean
  /** It has not been tried yet, nor is it being tried. */
  readonly isUntried: boolean
}

/** `open`: not to be asked. `half-open`: one call is let through, to see. */
export type BreakerState = 'closed' | 'open' | 'half-open'
