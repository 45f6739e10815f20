import type { HealthSnapshot } from '../../health/health-snapshot.ts'
import type { Deployment, Presence, Traits, Upstream } from '../../model/ports.ts'

/** A deployment that could take a call, with its current state. Do not keep it: the next call reuses the object. */
export type Candidate = {
  readonly deployment: Deployment
  /** The deployment's own value, cached. */
  readonly id: string
  readonly upstream: Upstream
  readonly weight: number
  /** The deployment's current state. */
  readonly traits: Traits
  /** Its provider no longer has the model. */
  readonly gone?: Presence | undefined
  /** The expected cost of this call there, in nano-USD; undefined if unknown. */
  readonly expectedNanoUsd: number | undefined
  /** Time is billed and recent measurements are missing: only a call can tell what it costs. */
  readonly isUnmeasured: boolean
  readonly standing: HealthSnapshot
}
