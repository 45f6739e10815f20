import type { Clock } from '../model/ports.ts'

/**
 * Bounds what is done beside the first try of each call to a part of all calls, upstream by upstream: so that trying
 * again does not add to the load of one that fails under it.
 */
export interface RetryBudget {
  /** A call goes there. */
  note(upstream: string): void
  /** Takes leave for one more; false when there is none left. */
  take(upstream: string): boolean
}

/** `share` of the calls of the last minute, and `least` of them whatever the share comes to. */
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

/** Of the half minute under way, and of the one before. */
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
