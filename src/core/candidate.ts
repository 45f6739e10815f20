import type { Pace } from './observations.ts'
import type { Deployment, Traits, Upstream } from './ports.ts'

/**
 * A deployment that could take one call, and what is known of it at this moment. Not to be kept: the next call's may be
 * the same object.
 */
export type Candidate = {
  readonly deployment: Deployment
  /** The deployment's own, at hand. */
  readonly id: string
  readonly upstream: Upstream
  readonly weight: number
  /** The deployment's, as they are at this moment. */
  readonly traits: Traits
  /** What this very call is expected to cost there, in nano-USD; undefined where it is not known. */
  readonly expectedNanoUsd: number | undefined
  /** It is paid for by the time it takes, and that was not measured of late: only a try can tell what it costs. */
  readonly isUnmeasured: boolean
  readonly standing: Standing
}

/** How a deployment has been doing of late. */
export type Standing = {
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
  /** There was an answer of late. */
  readonly isMeasured: boolean
  /** Nobody has asked it yet, nor is anybody asking. */
  readonly isUntried: boolean
}

/** `open`: not to be asked. `half-open`: one call is let through, to see. */
export type BreakerState = 'closed' | 'open' | 'half-open'
