import type { Clock } from '../model/ports.ts'

/**
 * Limits retries and hedges to a share of the calls per upstream, so that they do not add to the load of one that is
 * failing under load.
 */
export interface RetryBudget {
  /** Counts a call. */
  note(upstream: string): void
  /** Takes one from the budget; false when it is empty. */
  take(upstream: string): boolean
}

/** `share` of the calls of the last minute, and at least `least` per minute. */
export type RetryBudgetSettings = { readonly share: number; readonly least: number }

export function createRetryBudget({ share, least }: RetryBudgetSettings, clock: Clock): RetryBudget {
  const counts = new Map<string, Counts>()
  const countsOf = (upstream: string): Counts => {
    let known = counts.get(upstream)
    if (known === undefined) {
      known = { since: clock.now(), calls: 0, taken: 0, callsBefore: 0, takenBefore: 0 }
      counts.set(upstream, known)
    }
    turn(known, clock.now())
    return known
  }
  return {
    note(upstream) {
      countsOf(upstream).calls++
    },
    take(upstream) {
      const known = countsOf(upstream)
      const most = Math.max(least, share * (known.calls + known.callsBefore))
      if (known.taken + known.takenBefore >= most) return false
      known.taken++
      return true
    },
  }
}

/** Counts of the current half minute and of the one before. */
type Counts = { since: number; calls: number; taken: number; callsBefore: number; takenBefore: number }

const windowMs = 30_000

function turn(counts: Counts, now: number): void {
  const elapsedMs = now - counts.since
  if (elapsedMs < windowMs) return
  const isNext = elapsedMs < 2 * windowMs
  counts.callsBefore = isNext ? counts.calls : 0
  counts.takenBefore = isNext ? counts.taken : 0
  counts.calls = 0
  counts.taken = 0
  counts.since = isNext ? counts.since + windowMs : now
}
