import type { HealthSnapshot } from '../../health/health-snapshot.ts'
import type { Deployment, Presence, Traits, Upstream } from '../../model/ports.ts'

/**
 * A deployment that could take one call, and what is known of it at this moment. Not to be kept: the next call's may be
 * the same object.
 */
export type Candidate = {
  readonly deployment: Deployment
  /** The deployment's own, cached here. */
  readonly id: string
  readonly upstream: Upstream
  readonly weight: number
  /** The deployment's, as they are at this moment. */
  readonly traits: Traits
  /** The deployment's: its provider has the model no more. */
  readonly gone?: Presence | undefined
  /** What this very call is expected to cost there, in nano-USD; undefined where it is not known. */
  readonly expectedNanoUsd: number | undefined
  /** It is paid for by the time it takes, and recent measurements are missing: only a try can tell what it costs. */
  readonly isUnmeasured: boolean
  readonly standing: HealthSnapshot
}
