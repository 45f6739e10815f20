import { Failure } from '../model/failure.ts'
import type { Breaker } from './breaker.ts'
import {
  createHealthEntry,
  type DeploymentHealthParts,
  type HealthEntry,
  noteChange,
} from './health-entry.ts'
import type { HealthMessage } from './health-message.ts'
import { type HealthReport, reportOf } from './health-report.ts'
import type { BreakerState, HealthSnapshot } from './health-snapshot.ts'
import { type Permit, permit } from './permit.ts'
import { type Probe, verdictOnProbe } from './probe.ts'

/** The health of one deployment, or of one model at it, and permits for attempts there. */
export interface DeploymentHealth {
  /** Returns the same object as long as nothing changed. Pass `now` to save reading the clock for each of many. */
  standing(now?: number): HealthSnapshot
  /** The last result of `standing`, for readers of many deployments. Absent where models are tracked separately. */
  readonly latest?: LatestSnapshot | undefined
  /** The 95th percentile of recent first-token times; undefined until there are enough. */
  slowFirstTokenMs(): number | undefined
  /** The same for the duration of JSON answers. */
  slowAnswerMs(): number | undefined
  /** A permit for one attempt; undefined when a breaker is open, or half-open with its probe in flight. */
  begin(): Permit | undefined
  /** A permit regardless of the breakers, for a call that has no other deployment left. */
  insist(): Permit
  /** Records what the upstream reported about its health. Not an attempt: no measurement changes. */
  probed(probe: Probe): void
  /** Applies what another node has learnt from its upstream. */
  receive(message: HealthMessage): void
  report(): HealthReport
}

/** A standing, and until when it is valid unless an event changes it, on the clock's monotonic milliseconds. */
export type LatestSnapshot = { readonly standing: HealthSnapshot; readonly freshUntil: number }

/** The health of a deployment as a whole. */
export interface ManagedDeploymentHealth extends DeploymentHealth {
  /**
   * The health of one model there. Its calls count for the whole deployment too, but only problems that concern all
   * models, such as an unreachable host, keep calls of other models away.
   */
  forModel(model: string): DeploymentHealth
}

export function createDeploymentHealth(parts: DeploymentHealthParts): ManagedDeploymentHealth {
  const whole = createHealthEntry(parts, undefined)
  return {
    ...trackOf(whole, parts),
    forModel: (model) => trackOf(createHealthEntry(parts, model, whole), parts),
  }
}

function trackOf(entry: HealthEntry, { clock }: DeploymentHealthParts): DeploymentHealth {
  const { breaker, whole } = entry
  return {
    latest: whole === undefined ? entry : undefined,
    standing(now = clock.now()) {
      if (now >= entry.freshUntil || (whole !== undefined && whole.changes !== entry.seenChanges)) {
        refresh(entry, now)
      }
      return entry.standing
    },
    slowFirstTokenMs: () => entry.observations.slowFirstTokenMs(),
    slowAnswerMs: () => entry.observations.slowAnswerMs(),
    begin() {
      const pass = breaker.admit()
      if (pass === undefined || whole === undefined) return pass && permit(entry, pass)
      const passOfWhole = whole.breaker.admit()
      if (passOfWhole !== undefined) return permit(entry, pass, passOfWhole)
      breaker.end(pass, 'neither')
      return undefined
    },
    insist: () => permit(entry, breaker.insist(), whole?.breaker.insist()),
    probed(probe) {
      entry.probe = probe
      breaker.noteHealth(verdictOnProbe(probe))
      entry.watch.note(breaker, probe.answer instanceof Failure ? probe.answer : undefined)
      noteChange(entry)
    },
    receive(message) {
      if (message.said === 'limited') entry.load.limited(message.retryAfterMs)
      else breaker.noteHealth('refused')
      noteChange(entry)
    },
    report: () => reportOf(entry, clock),
  }
}

/** Decay alone does not require a new computation for every call. */
const freshMs = 1000

function refresh(entry: HealthEntry, now: number): void {
  const { load, observations, counts, whole } = entry
  const state = worse(stateOf(entry.breaker), whole === undefined ? 'closed' : stateOf(whole.breaker))
  const standing: HealthSnapshot = {
    breaker: state,
    share: load.share(),
    // With its failure rate, a half-open deployment would rank last and never be tried.
    successRate: state === 'half-open' ? 1 : observations.successRate(),
    firstTokenMs: observations.firstTokenMs(),
    tokensPerSecond: observations.tokensPerSecond(),
    pace: observations.pace(),
    isMeasured: observations.isFresh(),
    isUntried: counts.attempts === 0 && counts.inFlight === 0,
  }
  if (!isSame(standing, entry.standing)) entry.standing = standing
  const isSteady = standing.breaker === 'closed' && standing.share === 1
  entry.freshUntil = isSteady ? now + freshMs : now
  entry.seenChanges = whole?.changes ?? entry.seenChanges
}

/** While its probe call is in flight, it counts as open. */
function stateOf(breaker: Breaker): BreakerState {
  return breaker.isAdmitting() ? breaker.read().state : 'open'
}

function worse(one: BreakerState, other: BreakerState): BreakerState {
  return severities[one] > severities[other] ? one : other
}

const severities = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<BreakerState, number>

function isSame(one: HealthSnapshot, other: HealthSnapshot): boolean {
  return (
    one.breaker === other.breaker &&
    one.share === other.share &&
    one.successRate === other.successRate &&
    one.firstTokenMs === other.firstTokenMs &&
    one.tokensPerSecond === other.tokensPerSecond &&
    one.pace === other.pace &&
    one.isMeasured === other.isMeasured &&
    one.isUntried === other.isUntried
  )
}
