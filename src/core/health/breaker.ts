import type { Clock, Random } from '../model/ports.ts'
import type { BreakerState } from './health-snapshot.ts'

/**
 * Keeps calls away from one deployment while it is sick. Opens after failures in a row, or when too many of the recent
 * calls failed, or at one refusal that holds for all; then, after a while, lets one call at a time through to see. A failed
 * probe opens it again, for twice as long up to a bound, and an answer closes it. The bound is short: a trial costs a
 * caller little where others are behind it, and what has recovered is to be used again within seconds.
 */
export interface Breaker {
  read(): BreakerReading
  /** True when `admit` would let a call through. */
  isAdmitting(): boolean
  /** A pass for one call, the only probe when half-open; undefined when it is not to be asked. */
  admit(): Pass | undefined
  /** A pass whatever the state, for a call that has nowhere else to go. */
  insist(): Pass
  /** To be told once of every pass. A call from before the last change of state no longer counts. */
  end(pass: Pass, verdict: Verdict): void
  /**
   * Takes a report of its health where no call was made. What is bad counts as a failed call does; what is good only
   * undoes that, but for one that is open or half-open: the first may be tried at once, the other closes on trial, and the
   * next call that fails opens it again.
   * While its probe is away, the probe decides.
   */
  noteHealth(verdict: Verdict): void
}

/** All times are the clock's monotonic milliseconds. */
export type BreakerReading = {
  readonly state: BreakerState
  readonly since: number
  /** In a row, up to now, of calls and of its health. */
  readonly failures: number
  /** When it lets a probe through; undefined while closed. */
  readonly opensUntil: number | undefined
}

/**
 * `refused`: it will refuse every call alike until somebody mends it, so one is enough to open. `neither`: the caller
 * left, or what went wrong says nothing of the deployment's health. A probe is given back.
 */
export type Verdict = 'answered' | 'failed' | 'refused' | 'neither'

export type Pass = { readonly epoch: number; readonly isProbe: boolean }

export type BreakerSettings = {
  /** So many failures in a row open it. */
  readonly failures: number
  /** So does this part of the calls of the last `windowMs`, once there are `minimumCalls`. */
  readonly failureRate: number
  readonly minimumCalls: number
  readonly windowMs: number
  /** How long it opens at first, and at most; the time is drawn from the upper half. */
  readonly openMs: number
  readonly longestOpenMs: number
  /** A probe that has not ended by then is taken for lost: another may go. */
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
  /** Since a call last closed it; 0 once one has. */
  let openings = 0
  let opensUntil = 0
  /** The epoch in which its health alone has closed it: calls are on trial. */
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
        // What says that it is well again gets a call to show it.
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

/** The one call that is to show whether it answers again. */
interface Trial {
  /** None is away, or it is overdue: another may go. */
  isFree(): boolean
  begin(epoch: number): Pass
  /** True of that call alone: where another went after it, that one shows. */
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
  /** How much of it in a row, up to now. */
  inARow(): number
  /** Enough of it to open, now that this came. */
  isTooMuch(last: Verdict): boolean
  /** The row continues; the rate starts over. */
  begin(): void
}

function createTally(clock: Clock, settings: BreakerSettings): Tally {
  const recent = createWindow(clock, settings.windowMs)
  let failures = 0
  let unhealthy = 0
  return {
    note(isAnswered) {
      failures = isAnswered ? 0 : failures + 1
      // A deployment that answers is healthy enough, whatever a probe says.
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

/** How many calls ended recently, and how many failed, to a tenth of the window. */
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
