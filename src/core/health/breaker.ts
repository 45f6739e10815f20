import type { Clock, Random } from '../model/ports.ts'
import type { BreakerState } from './health-snapshot.ts'

/**
 * Keeps calls away from one deployment while it is unhealthy. It opens after consecutive failures, at too high a
 * failure rate, or at one refusal that applies to every call. After a while it is half-open and admits one probe call
 * at a time. A failed probe opens it again for twice as long, up to a maximum; a successful one closes it. The maximum
 * is short: a probe costs a caller little where fallbacks exist, and a recovered deployment should be used again within
 * seconds.
 */
export interface Breaker {
  read(): BreakerReading
  /** True when `admit` would admit a call. */
  isAdmitting(): boolean
  /** A pass for one call; when half-open, for the single probe. Undefined if no call is admitted. */
  admit(): Pass | undefined
  /** A pass in any state, for a call that has no other deployment left. */
  insist(): Pass
  /** Must be called once per pass. A call from before the last change of state is ignored. */
  end(pass: Pass, verdict: Verdict): void
  /**
   * Takes a health report that was not a call. A bad one counts like a failed call. A good one resets the failures of a
   * closed breaker, makes an open one half-open, and closes a half-open one on trial: the next failed call opens it
   * again. While a probe call is in flight, only the probe decides.
   */
  noteHealth(verdict: Verdict): void
}

/** All times are the clock's monotonic milliseconds. */
export type BreakerReading = {
  readonly state: BreakerState
  readonly since: number
  /** Consecutive failures of calls and health reports. */
  readonly failures: number
  /** When the next probe is admitted; undefined while closed. */
  readonly opensUntil: number | undefined
}

/**
 * `refused`: every call will be refused until an operator fixes it, so one is enough to open. `neither`: the caller
 * left, or the failure says nothing about the deployment; a probe's pass is returned.
 */
export type Verdict = 'answered' | 'failed' | 'refused' | 'neither'

export type Pass = { readonly epoch: number; readonly isProbe: boolean }

export type BreakerSettings = {
  /** This many consecutive failures open it. */
  readonly failures: number
  /** So does this failure rate over the last `windowMs`, given at least `minimumCalls`. */
  readonly failureRate: number
  readonly minimumCalls: number
  readonly windowMs: number
  /** The first and the longest time that it stays open; the actual time is random in the upper half. */
  readonly openMs: number
  readonly longestOpenMs: number
  /** A probe call that has not ended by then is considered lost, and another is admitted. */
  readonly trialMs: number
}

export const defaultBreaker: BreakerSettings = {
  failures: 5,
  failureRate: 0.5,
  minimumCalls: 20,
  windowMs: 30_000,
  openMs: 2000,
  longestOpenMs: 4000,
  trialMs: 5000,
}

export function createBreaker(clock: Clock, random: Random, settings = defaultBreaker): Breaker {
  const tally = createTally(clock, settings)
  /** Counts the changes of state. */
  let epoch = 0
  let changedAt = clock.now()
  /** Times it opened since a call last closed it. */
  let openings = 0
  let opensUntil = 0
  /** The epoch in which a health report alone closed it, so that the next failed call opens it again. */
  let trialEpoch = -1
  const trial = createTrial(clock, settings.trialMs)
  const stateNow = (): BreakerState => {
    if (openings === 0 || epoch === trialEpoch) return 'closed'
    return clock.now() < opensUntil ? 'open' : 'half-open'
  }
  const change = () => {
    epoch++
    changedAt = clock.now()
    trial.clear()
    tally.begin()
  }
  const open = () => {
    change()
    const openMs = Math.min(settings.openMs * 2 ** openings++, settings.longestOpenMs)
    opensUntil = changedAt + openMs * (1 - random() / 2)
  }
  const close = () => {
    if (stateNow() !== 'closed') change()
    openings = 0
    trialEpoch = -1
  }
  return {
    read() {
      const state = stateNow()
      const since = state === 'half-open' ? opensUntil : changedAt
      return {
        state,
        since,
        failures: tally.inARow(),
        opensUntil: state === 'closed' ? undefined : opensUntil,
      }
    },
    isAdmitting() {
      const state = stateNow()
      return state === 'closed' || (state === 'half-open' && trial.isFree())
    },
    admit() {
      const state = stateNow()
      if (state === 'closed') return { epoch, isProbe: false }
      if (state === 'open' || !trial.isFree()) return undefined
      return trial.begin(epoch)
    },
    insist() {
      return this.admit() ?? { epoch, isProbe: false }
    },
    end(pass, verdict) {
      if (pass.epoch !== epoch) return
      const isShowing = trial.end(pass)
      if (verdict === 'neither') return
      tally.note(verdict === 'answered')
      if (verdict === 'answered') close()
      else if (isShowing || epoch === trialEpoch || (openings === 0 && tally.isTooMuch(verdict))) open()
    },
    noteHealth(verdict) {
      if (verdict === 'answered' && stateNow() === 'open') {
        // A good report admits a probe at once.
        opensUntil = clock.now()
        return
      }
      if (verdict === 'neither' || !this.isAdmitting()) return
      const isHalfOpen = stateNow() === 'half-open'
      tally.noteHealth(verdict === 'answered')
      if (verdict !== 'answered') {
        if (isHalfOpen || tally.isTooMuch(verdict)) open()
      } else if (isHalfOpen) {
        change()
        trialEpoch = epoch
      }
    },
  }
}

/** The probe call of the half-open state. */
interface Trial {
  /** True when no probe is in flight, or the one in flight is overdue. */
  isFree(): boolean
  begin(epoch: number): Pass
  /** True only for the current probe: a later probe replaces an overdue one. */
  end(pass: Pass): boolean
  clear(): void
}

function createTrial(clock: Clock, trialMs: number): Trial {
  let away: Pass | undefined
  let until = 0
  return {
    isFree: () => away === undefined || clock.now() >= until,
    begin(epoch) {
      away = { epoch, isProbe: true }
      until = clock.now() + trialMs
      return away
    },
    end(pass) {
      const isShowing = pass === away
      if (isShowing) away = undefined
      return isShowing
    },
    clear() {
      away = undefined
    },
  }
}

/** Recent failures. */
interface Tally {
  note(isAnswered: boolean): void
  noteHealth(isGood: boolean): void
  /** Consecutive failures. */
  inARow(): number
  /** True if this failure opens the breaker. */
  isTooMuch(last: Verdict): boolean
  /** Starts the rate over; the count of consecutive failures continues. */
  begin(): void
}

function createTally(clock: Clock, settings: BreakerSettings): Tally {
  const recent = createWindow(clock, settings.windowMs)
  let failures = 0
  let unhealthy = 0
  return {
    note(isAnswered) {
      failures = isAnswered ? 0 : failures + 1
      // A deployment that answers calls is healthy enough, whatever a health report says.
      if (isAnswered) unhealthy = 0
      recent.note(isAnswered)
    },
    noteHealth(isGood) {
      unhealthy = isGood ? 0 : unhealthy + 1
    },
    inARow: () => failures + unhealthy,
    isTooMuch(last) {
      if (last === 'refused' || failures + unhealthy >= settings.failures) return true
      const { calls, failed } = recent.count()
      return calls >= settings.minimumCalls && failed / calls >= settings.failureRate
    },
    begin: () => recent.clear(),
  }
}

/** How many calls ended recently and how many of them failed, at a resolution of a tenth of the window. */
interface Window {
  note(isAnswered: boolean): void
  count(): { readonly calls: number; readonly failed: number }
  clear(): void
}

const slotsPerWindow = 10

function createWindow(clock: Clock, windowMs: number): Window {
  const slots = Array.from({ length: slotsPerWindow }, () => ({ number: -1, calls: 0, failed: 0 }))
  const slotNow = () => Math.floor((clock.now() * slotsPerWindow) / windowMs)
  return {
    note(isAnswered) {
      const number = slotNow()
      const slot = slots[number % slotsPerWindow]
      if (slot === undefined) return
      if (slot.number !== number) Object.assign(slot, { number, calls: 0, failed: 0 })
      slot.calls++
      if (!isAnswered) slot.failed++
    },
    count() {
      const oldest = slotNow() - slotsPerWindow
      let calls = 0
      let failed = 0
      for (const slot of slots) {
        if (slot.number <= oldest) continue
        calls += slot.calls
        failed += slot.failed
      }
      return { calls, failed }
    },
    clear() {
      for (const slot of slots) slot.number = -1
    },
  }
}
