import type { Clock } from '../model/ports.ts'

/**
 * What part of its usual calls one deployment should get: less while its upstream limits the rate (429), and
 * gradually all of them again after that.
 */
export interface RateShare {
  /** The upstream refused a call for its rate, and asked to be left alone so long, if it said. */
  limited(retryAfterMs: number | undefined): void
  /** From 0 to 1. */
  share(): number
  /** When the share begins to rise again, on the clock's monotonic milliseconds; undefined when it is whole. */
  limitedUntil(): number | undefined
}

export type RateShareSettings = {
  /** How long a refusal without a word on it holds. */
  readonly usualMs: number
  /** No longer than this is an upstream left alone, whatever it asked for. */
  readonly longestMs: number
  /** From nothing to the whole. */
  readonly recoveryMs: number
  /** A refusal that says no time halves the share, down to this. */
  readonly leastShare: number
}

export const defaultRateShare: RateShareSettings = {
  usualMs: 5000,
  longestMs: 300_000,
  recoveryMs: 10_000,
  leastShare: 1 / 16,
}

export function createRateShare(clock: Clock, settings = defaultRateShare): RateShare {
  const { usualMs, longestMs, recoveryMs, leastShare } = settings
  let lowShare = 1
  let until = Number.NEGATIVE_INFINITY
  const shareAt = (now: number) =>
    now < until ? lowShare : Math.min(1, lowShare + (now - until) / recoveryMs)
  return {
    limited(retryAfterMs) {
      const now = clock.now()
      const share = shareAt(now)
      const holdMs = Math.min(Math.max(retryAfterMs ?? usualMs, 0), longestMs)
      // Told when to come back, it is left alone till then. Otherwise its limit is felt for.
      lowShare = retryAfterMs === undefined ? Math.min(share, Math.max(share / 2, leastShare)) : 0
      until = Math.max(until, now + holdMs)
    },
    share: () => shareAt(clock.now()),
    limitedUntil: () => (shareAt(clock.now()) === 1 ? undefined : until),
  }
}
