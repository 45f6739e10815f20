import { Failure, type FailureKind } from '../model/failure.ts'
import type { Clock, Random } from '../model/ports.ts'
import { type Breaker, type BreakerSettings, createBreaker, type Pass, type Verdict } from './breaker.ts'
import { type HealthReport, reportOf } from './health-report.ts'
import type { BreakerState, HealthSnapshot } from './health-snapshot.ts'
import { type HealthEvent, HealthWatch } from './health-watch.ts'
import { createObservations, type Observations } from './observations.ts'
import { type Probe, verdictOnProbe } from './probe.ts'
import { createRateShare, type RateShare } from './rate-share.ts'

/** How one deployment has been doing, or one model at it, and leave for attempts there. */
export interface DeploymentHealth {
  /** The same object as long as nothing changed. `now` spares reading the clock for each of many. */
  standing(now?: number): HealthSnapshot
  /** What that gave last, to be read by those who look at many. Absent where one model is told apart from others. */
  readonly latest?: LatestSnapshot | undefined
  /** The 95th percentile of its recent first-token times; undefined until there were enough. */
  slowFirstTokenMs(): number | undefined
  /** Leave for one attempt; undefined when a breaker is open, or half-open with its one probe away. */
  begin(): Permit | undefined
  /** Leave for one attempt whatever the breakers say, for a call that has nowhere else to go. */
  insist(): Permit
  /** What its upstream was heard to say of its health. That is no attempt: of what is measured, it changes nothing. */
  probed(probe: Probe): void
  report(): HealthReport
}

/** A standing, and until when it holds, unless something happens. On the clock's monotonic milliseconds. */
export type LatestSnapshot = { readonly standing: HealthSnapshot; readonly freshUntil: number }

/** Leave for one attempt. Ends once: what comes after is of no effect. Disposed unended, it counts for nothing. */
export interface Permit extends Disposable {
  /** It is to show whether what has been failing answers again. */
  readonly isTrial: boolean
  end(ending: Ending): void
}

export type Ending = {
  /** Undefined: it answered. A caller who left, and a failure that is not the upstream's, count neither way. */
  readonly failure: Failure | undefined
  /** From the attempt's start; undefined where the answer came whole. */
  readonly firstTokenMs: number | undefined
  /** Undefined where they were not counted. */
  readonly completionTokens: number | undefined
  readonly durationMs: number
  /** How long the upstream says it worked; left out: all the time. */
  readonly workedMs?: number | undefined
}

export type DeploymentHealthParts = {
  readonly id: string
  /** Left out: the usual ones. */
  readonly breaker?: BreakerSettings | undefined
  readonly clock: Clock
  readonly random: Random
  /** Called on each change for the worse or the better. */
  readonly onEvent?: ((event: HealthEvent) => void) | undefined
}

/** Of a deployment as a whole. */
export interface ManagedDeploymentHealth extends DeploymentHealth {
  /**
   * Of one model there, apart from the others: what it does counts for the whole, too, but only what concerns all of
   * them, such as an unreachable host, keeps calls for the others away.
   */
  forModel(model: string): DeploymentHealth
}

export function createDeploymentHealth(parts: DeploymentHealthParts): ManagedDeploymentHealth {
  const whole = createEntry(parts, undefined)
  return {
    ...trackOf(whole, parts),
    forModel: (model) => trackOf(createEntry(parts, model, whole), parts),
  }
}

type Entry = {
  readonly id: string
  readonly model: string | undefined
  /** The deployment, where this is one model at it. */
  readonly whole: Entry | undefined
  readonly breaker: Breaker
  readonly load: RateShare
  readonly observations: Observations
  readonly watch: HealthWatch
  readonly counts: { inFlight: number; attempts: number; answered: number; failed: number; limited: number }
  lastFailure: FailureKind | undefined
  standing: HealthSnapshot
  /** On the clock's monotonic milliseconds. */
  freshUntil: number
  /** Counts what may have changed the standing of its models; and how many of those of the whole were seen. */
  changes: number
  seenChanges: number
  probe: Probe | undefined
}

function createEntry(
  { id, clock, random, onEvent, breaker }: DeploymentHealthParts,
  model: string | undefined,
  whole?: Entry,
): Entry {
  return {
    ...{ id, model, whole },
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

function trackOf(entry: Entry, { clock }: DeploymentHealthParts): DeploymentHealth {
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
    report: () => reportOf(entry, clock),
  }
}

/** What is only being forgotten need not be looked at for every call. */
const freshMs = 1000

function refresh(entry: Entry, now: number): void {
  const { load, observations, counts, whole } = entry
  const state = worse(stateOf(entry.breaker), whole === undefined ? 'closed' : stateOf(whole.breaker))
  const standing: HealthSnapshot = {
    breaker: state,
    share: load.share(),
    // Ranked by its failures, what is to be tried again would never be.
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

/** While its trial is under way, no other attempt is admitted. */
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

function noteChange(entry: Entry): void {
  entry.freshUntil = 0
  entry.changes++
}

/** `passOfWhole`: of the deployment, where the entry is one model there. */
function permit(entry: Entry, pass: Pass, passOfWhole?: Pass): Permit {
  const { counts, whole } = entry
  counts.inFlight++
  if (whole !== undefined) whole.counts.inFlight++
  if (counts.attempts === 0) noteChange(entry)
  return new AttemptPermit(entry, pass, passOfWhole)
}

/** A class, not a closure: one per attempt, so that its methods live on the prototype. */
class AttemptPermit implements Permit {
  readonly #entry: Entry
  readonly #pass: Pass
  readonly #passOfWhole: Pass | undefined
  #hasEnded = false

  constructor(entry: Entry, pass: Pass, passOfWhole: Pass | undefined) {
    this.#entry = entry
    this.#pass = pass
    this.#passOfWhole = passOfWhole
  }

  get isTrial(): boolean {
    return this.#pass.isProbe || this.#passOfWhole?.isProbe === true
  }

  end(ending: Ending): void {
    if (this.#hasEnded) return
    const { load, whole } = this.#entry
    const { failure } = ending
    const verdict = verdictOn(failure)
    note(this.#entry, ending, verdict)
    if (whole !== undefined) note(whole, ending, verdict)
    // The limit is the model's own: where it is not, each of them will be told.
    if (failure?.blame === 'load') load.limited(failure.retryAfterMs)
    if (failure === undefined || whole === undefined) this.#close(verdict, verdict)
    else if (concernsAll(failure)) this.#close('neither', verdict)
    else this.#close(verdict, 'neither')
    this.#watch(failure)
  }

  [Symbol.dispose](): void {
    if (!this.#hasEnded) this.#close('neither', 'neither')
  }

  /** What concerns all models is reported only for the deployment as a whole. */
  #watch(failure: Failure | undefined): void {
    const entry = this.#entry
    const { whole } = entry
    if (whole === undefined || failure === undefined || !concernsAll(failure)) {
      entry.watch.note(entry.breaker, failure)
    }
    if (whole !== undefined && (failure === undefined || concernsAll(failure))) {
      whole.watch.note(whole.breaker, failure)
    }
  }

  #close(verdict: Verdict, verdictOnWhole: Verdict): void {
    this.#hasEnded = true
    const entry = this.#entry
    const { whole } = entry
    entry.breaker.end(this.#pass, verdict)
    if (this.#passOfWhole !== undefined) whole?.breaker.end(this.#passOfWhole, verdictOnWhole)
    if (this.isTrial && verdict === 'answered') {
      entry.observations.recover()
      whole?.observations.recover()
    }
    entry.counts.inFlight--
    noteChange(entry)
    if (whole === undefined) return
    whole.counts.inFlight--
    noteChange(whole)
  }
}

function verdictOn(failure: Failure | undefined): Verdict {
  if (failure === undefined) return 'answered'
  if (failure.isStale || failure.isBug) return 'neither'
  if (failure.blame === 'operator') return 'refused'
  return failure.blame === 'upstream' ? 'failed' : 'neither'
}

/** The host is unreachable, is no such address, or refuses our key; but a 403 may concern one model only. */
function concernsAll({ kind, upstreamStatus }: Failure): boolean {
  if (kind === 'path_not_found') return true
  return kind === 'unreachable' || (kind === 'upstream_auth' && upstreamStatus !== 403)
}

function note(entry: Entry, ending: Ending, verdict: Verdict): void {
  const { counts, observations } = entry
  const { failure } = ending
  const isLimited = failure?.blame === 'load'
  counts.attempts++
  if (verdict === 'answered') counts.answered++
  else if (verdict !== 'neither') counts.failed++
  if (isLimited) counts.limited++
  if (verdict !== 'neither') {
    const { firstTokenMs, completionTokens, durationMs, workedMs } = ending
    observations.note({
      isAnswered: verdict === 'answered',
      firstTokenMs,
      completionTokens,
      durationMs,
      workedMs,
    })
  }
  if (failure !== undefined && (isLimited || verdict !== 'neither')) entry.lastFailure = failure.kind
}
