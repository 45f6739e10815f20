import { Failure, type FailureKind } from '../model/failure.ts'
import type { Clock, Random } from '../model/ports.ts'
import { type Breaker, type BreakerSettings, createBreaker, type Pass, type Verdict } from './breaker.ts'
import { type HealthReport, reportOf } from './health-report.ts'
import type { BreakerState, HealthSnapshot } from './health-snapshot.ts'
import { type HealthEvent, HealthWatch } from './health-watch.ts'
import { type HealthWord, wordOn } from './health-word.ts'
import { createObservations, type Observations } from './observations.ts'
import { type Probe, verdictOnProbe } from './probe.ts'
import { createRateShare, type RateShare } from './rate-share.ts'
import { concernsAll, verdictOn } from './verdict.ts'

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
  /** Records what the upstream reported about its health. This is not an attempt: no measurement changes. */
  probed(probe: Probe): void
  /** What another node was told by its upstream. */
  heard(word: HealthWord): void
  report(): HealthReport
}

/** A standing, and until when it holds unless something happens, on the clock's monotonic milliseconds. */
export type LatestSnapshot = { readonly standing: HealthSnapshot; readonly freshUntil: number }

/**
 * A permit for one attempt. The first end counts, later ones are ignored. Disposed without an end, it counts for
 * nothing.
 */
export interface Permit extends Disposable {
  /** A trial: it tests whether a failing deployment has recovered. */
  readonly isTrial: boolean
  end(ending: Ending): void
}

export type Ending = {
  /** Undefined: it answered. A caller that left and a failure that is not the upstream's count neither way. */
  readonly failure: Failure | undefined
  /** From the attempt's start; undefined if the answer came whole. */
  readonly firstTokenMs: number | undefined
  /** Undefined if they were not counted. */
  readonly completionTokens: number | undefined
  readonly durationMs: number
  /** How long the upstream says it worked; absent: all the time. */
  readonly workedMs?: number | undefined
}

export type DeploymentHealthParts = {
  readonly id: string
  /** Absent: the defaults. */
  readonly breaker?: BreakerSettings | undefined
  readonly clock: Clock
  readonly random: Random
  /** Called on each change of health. */
  readonly onEvent?: ((event: HealthEvent) => void) | undefined
  /** Called with what other nodes should know. */
  readonly onWord?: ((word: HealthWord) => void) | undefined
}

/** The health of a deployment as a whole. */
export interface ManagedDeploymentHealth extends DeploymentHealth {
  /**
   * The health of one model there. Its calls count for the whole deployment too, but only problems that concern all
   * models, such as an unreachable host, keep calls of other models away.
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
  /** The deployment, if this is one model at it. */
  readonly whole: Entry | undefined
  readonly breaker: Breaker
  readonly load: RateShare
  readonly observations: Observations
  readonly watch: HealthWatch
  readonly onWord: DeploymentHealthParts['onWord']
  readonly counts: { inFlight: number; attempts: number; answered: number; failed: number; limited: number }
  lastFailure: FailureKind | undefined
  standing: HealthSnapshot
  /** On the clock's monotonic milliseconds. */
  freshUntil: number
  /** Counts changes that may affect the standing of the models, and how many of the whole's changes were seen. */
  changes: number
  seenChanges: number
  probe: Probe | undefined
}

function createEntry(
  { id, clock, random, onEvent, onWord, breaker }: DeploymentHealthParts,
  model: string | undefined,
  whole?: Entry,
): Entry {
  return {
    ...{ id, model, whole, onWord },
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
    heard(word) {
      if (word.said === 'limited') entry.load.limited(word.retryAfterMs)
      else breaker.noteHealth('refused')
      noteChange(entry)
    },
    report: () => reportOf(entry, clock),
  }
}

/** Decay alone does not require a new look for every call. */
const freshMs = 1000

function refresh(entry: Entry, now: number): void {
  const { load, observations, counts, whole } = entry
  const state = worse(stateOf(entry.breaker), whole === undefined ? 'closed' : stateOf(whole.breaker))
  const standing: HealthSnapshot = {
    breaker: state,
    share: load.share(),
    // Ranked by its failures, a deployment on trial would never be tried.
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

/** While its trial is in flight, no other attempt is admitted. */
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

/** `passOfWhole`: the deployment's own pass, if the entry is one model there. */
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
    // Rate limits count per model. If the limit is shared, each model will be refused in turn.
    const before = failure === undefined ? undefined : load.limitedUntil()
    if (failure?.blame === 'load') load.limited(failure.retryAfterMs)
    if (failure !== undefined) this.#tell(failure, before)
    if (failure === undefined || whole === undefined) this.#close(verdict, verdict)
    else if (concernsAll(failure)) this.#close('neither', verdict)
    else this.#close(verdict, 'neither')
    this.#watch(failure)
  }

  [Symbol.dispose](): void {
    if (!this.#hasEnded) this.#close('neither', 'neither')
  }

  #tell(failure: Failure, before: number | undefined): void {
    const { id, model, whole, load, onWord } = this.#entry
    if (onWord === undefined) return
    const place = { deployment: id, model: whole !== undefined && concernsAll(failure) ? undefined : model }
    const word = wordOn(failure, place, { before, until: load.limitedUntil() })
    if (word !== undefined) onWord(word)
  }

  /** Problems that concern all models are reported only for the deployment as a whole. */
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
