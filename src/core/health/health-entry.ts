import type { FailureKind } from '../model/failure.ts'
import type { Clock, Random } from '../model/ports.ts'
import { type Breaker, type BreakerSettings, createBreaker } from './breaker.ts'
import type { HealthMessage } from './health-message.ts'
import type { HealthSnapshot } from './health-snapshot.ts'
import { type HealthEvent, HealthWatch } from './health-watch.ts'
import { createObservations, type Observations } from './observations.ts'
import type { Probe } from './probe.ts'
import { createRateShare, type RateShare } from './rate-share.ts'

/** The state of one deployment, or of one model at it. */
export type HealthEntry = {
  readonly id: string
  readonly model: string | undefined
  /** The deployment, if this is one model at it. */
  readonly whole: HealthEntry | undefined
  readonly breaker: Breaker
  readonly load: RateShare
  readonly observations: Observations
  readonly watch: HealthWatch
  readonly onMessage: DeploymentHealthParts['onMessage']
  readonly counts: { inFlight: number; attempts: number; answered: number; failed: number; limited: number }
  lastFailure: FailureKind | undefined
  standing: HealthSnapshot
  /** On the clock's monotonic milliseconds. */
  freshUntil: number
  /**
   * Counts changes that may affect the standing of models, and how many of the whole deployment's changes were seen.
   */
  changes: number
  seenChanges: number
  probe: Probe | undefined
}

export type DeploymentHealthParts = {
  readonly id: string
  /** Absent: the defaults. */
  readonly breaker?: BreakerSettings | undefined
  readonly clock: Clock
  readonly random: Random
  /** Called on each change of health. */
  readonly onEvent?: ((event: HealthEvent) => void) | undefined
  /** Called with messages for the other nodes. */
  readonly onMessage?: ((message: HealthMessage) => void) | undefined
}

export function createHealthEntry(
  { id, clock, random, onEvent, onMessage, breaker }: DeploymentHealthParts,
  model: string | undefined,
  whole?: HealthEntry,
): HealthEntry {
  return {
    ...{ id, model, whole, onMessage },
    breaker: createBreaker(clock, random, breaker),
    load: createRateShare(clock),
    observations: createObservations(clock),
    watch: new HealthWatch({ id, model, clock, onEvent }),
    counts: { inFlight: 0, attempts: 0, answered: 0, failed: 0, limited: 0 },
    lastFailure: undefined,
    standing: untried,
    freshUntil: 0,
    changes: 0,
    seenChanges: -1,
    probe: undefined,
  }
}

const untried: HealthSnapshot = {
  breaker: 'closed',
  share: 1,
  successRate: 1,
  firstTokenMs: undefined,
  tokensPerSecond: undefined,
  pace: undefined,
  isMeasured: false,
  isUntried: true,
}

/** The standing must be computed again. */
export function noteChange(entry: HealthEntry): void {
  entry.freshUntil = 0
  entry.changes++
}
