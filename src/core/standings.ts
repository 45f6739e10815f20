import { type Breaker, type BreakerReading, createBreaker, type Pass, type Verdict } from './breaker.ts'
import type { Standing } from './candidate.ts'
import type { Failure } from './failure.ts'
import { createLoad, type Load } from './load.ts'
import { createObservations, type Observations } from './observations.ts'
import type { Clock, Random } from './ports.ts'
import { type Probe, verdictOnProbe } from './probe.ts'

/** How every deployment has been doing, by its id: written by attempts, read by the router and by operators. */
export interface Standings {
  /**
   * The same object as long as nothing changed. `now` spares reading the clock for each of many. Throws TypeError
   * for an id that is not of the configuration.
   */
  standingOf(id: string, now?: number): Standing
  /** What one in twenty of its first tokens of late took longer than; undefined until there were enough. */
  slowFirstTokenMs(id: string): number | undefined
  /** Leave for one attempt; undefined when the breaker is open, or half-open with its one probe away. */
  begin(id: string): Permit | undefined
  /** Leave for one attempt whatever the breaker says, for a call that has nowhere else to go. */
  insist(id: string): Permit
  /** Tells what its upstream was heard to say of its health. That is no attempt: of what is measured, it changes nothing. */
  probed(id: string, probe: Probe): void
  /** Everything that is known, for operators. */
  snapshot(): readonly DeploymentReport[]
  /** Standings of other deployments. Those that `kept` names and both have stay one and the same for both. */
  renewed(ids: Iterable<string>, kept: ReadonlySet<string>): Standings
}

/** Leave for one attempt. Ends once: what comes after is of no effect. Disposed unended, it counts for nothing. */
export interface Permit extends Disposable {
  end(ending: Ending): void
}

export type Ending = {
  /** Undefined: it answered. A caller who left, and a failure nobody upstream is to blame for, count neither way. */
  readonly failure: Failure | undefined
  /** From the attempt's start; undefined where the answer came whole. */
  readonly firstTokenMs: number | undefined
  /** Undefined where they were not counted. */
  readonly completionTokens: number | undefined
  readonly durationMs: number
}

/** One deployment, as shown to operators. Times are epoch milliseconds. */
export type DeploymentReport = {
  readonly id: string
  readonly breaker: BreakerReading['state']
  readonly sinceEpochMs: number
  /** In a row, up to now, of attempts and of probes of its health. */
  readonly failuresInARow: number
  /** When the breaker lets a probe through; undefined while closed. */
  readonly opensUntilEpochMs: number | undefined
  readonly share: number
  /** Until when the rate limit holds that lowers the share; undefined when there is none. */
  readonly limitedUntilEpochMs: number | undefined
  readonly successRate: number
  readonly firstTokenMs: number | undefined
  readonly tokensPerSecond: number | undefined
  readonly inFlight: number
  /** Attempts that ended, since the start; `failed` and `limited` (429) are those that were the upstream's doing. */
  readonly attempts: number
  readonly answered: number
  readonly failed: number
  readonly limited: number
  /** The last one; undefined where none was made. */
  readonly probe: Probe | undefined
}

export function createStandings(ids: Iterable<string>, clock: Clock, random: Random): Standings {
  return standingsOf(new Map([...ids].map((id) => [id, createEntry(id, clock, random)])), clock, random)
}

function standingsOf(entries: ReadonlyMap<string, Entry>, clock: Clock, random: Random): Standings {
  const entryOf = (id: string) => {
    const entry = entries.get(id)
    if (entry === undefined) throw new TypeError(`No deployment is called ${id}.`)
    return entry
  }
  return {
    standingOf(id, now = clock.now()) {
      const entry = entryOf(id)
      if (now >= entry.freshUntil) refresh(entry, now)
      return entry.standing
    },
    slowFirstTokenMs: (id) => entryOf(id).observations.slowFirstTokenMs(),
    begin(id) {
      const entry = entryOf(id)
      const pass = entry.breaker.admit()
      return pass && permit(entry, pass)
    },
    insist(id) {
      const entry = entryOf(id)
      return permit(entry, entry.breaker.insist())
    },
    probed(id, probe) {
      const entry = entryOf(id)
      entry.probe = probe
      entry.breaker.noteHealth(verdictOnProbe(probe))
      entry.freshUntil = 0
    },
    snapshot: () => [...entries.values()].map((entry) => report(entry, clock)),
    renewed(ids, kept) {
      const entryFor = (id: string) => (kept.has(id) ? entries.get(id) : undefined)
      const made = [...ids].map((id) => [id, entryFor(id) ?? createEntry(id, clock, random)] as const)
      return standingsOf(new Map(made), clock, random)
    },
  }
}

type Entry = {
  readonly id: string
  readonly breaker: Breaker
  readonly load: Load
  readonly observations: Observations
  readonly counts: { inFlight: number; attempts: number; answered: number; failed: number; limited: number }
  standing: Standing
  /** On the clock's monotonic milliseconds. */
  freshUntil: number
  probe: Probe | undefined
}

function createEntry(id: string, clock: Clock, random: Random): Entry {
  return {
    id,
    breaker: createBreaker(clock, random),
    load: createLoad(clock),
    observations: createObservations(clock),
    counts: { inFlight: 0, attempts: 0, answered: 0, failed: 0, limited: 0 },
    standing: untried,
    freshUntil: 0,
    probe: undefined,
  }
}

const untried: Standing = {
  breaker: 'closed',
  share: 1,
  successRate: 1,
  firstTokenMs: undefined,
  tokensPerSecond: undefined,
}

/** What is only being forgotten need not be looked at for every call. */
const freshMs = 1000

function refresh(entry: Entry, now: number): void {
  const { breaker, load, observations } = entry
  const { state } = breaker.read()
  const standing: Standing = {
    // While its probe is away, nobody else is to ask it.
    breaker: breaker.isAdmitting() ? state : 'open',
    share: load.share(),
    successRate: observations.successRate(),
    firstTokenMs: observations.firstTokenMs(),
    tokensPerSecond: observations.tokensPerSecond(),
  }
  if (!isSame(standing, entry.standing)) entry.standing = standing
  const isSteady = state === 'closed' && standing.share === 1
  entry.freshUntil = isSteady ? now + freshMs : now
}

function isSame(one: Standing, other: Standing): boolean {
  return (
    one.breaker === other.breaker &&
    one.share === other.share &&
    one.successRate === other.successRate &&
    one.firstTokenMs === other.firstTokenMs &&
    one.tokensPerSecond === other.tokensPerSecond
  )
}

function permit(entry: Entry, pass: Pass): Permit {
  const { breaker, counts } = entry
  let isEnded = false
  counts.inFlight++
  const close = (verdict: Verdict) => {
    isEnded = true
    counts.inFlight--
    breaker.end(pass, verdict)
    entry.freshUntil = 0
  }
  return {
    end(ending) {
      if (isEnded) return
      const verdict = verdictOn(ending.failure)
      counts.attempts++
      if (verdict === 'answered') counts.answered++
      if (verdict === 'failed') counts.failed++
      if (verdict !== 'neither') entry.observations.note({ ...ending, isAnswered: verdict === 'answered' })
      if (ending.failure?.blame === 'load') {
        counts.limited++
        entry.load.limited(ending.failure.retryAfterMs)
      }
      close(verdict)
    },
    [Symbol.dispose]() {
      if (!isEnded) close('neither')
    },
  }
}

function verdictOn(failure: Failure | undefined): Verdict {
  if (failure === undefined) return 'answered'
  return failure.blame === 'upstream' ? 'failed' : 'neither'
}

function report({ id, breaker, load, observations, counts, probe }: Entry, clock: Clock): DeploymentReport {
  const { state, since, failures, opensUntil } = breaker.read()
  const limitedUntil = load.limitedUntil()
  const epochOf = (at: number) => Math.round(clock.epochMs() + at - clock.now())
  return {
    id,
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
    probe,
  }
}
