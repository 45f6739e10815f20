import type { Clock } from '../model/ports.ts'

/**
 * The share of its usual calls that one deployment gets: reduced while its upstream limits the rate (429), then rising
 * back to 1.
 */
export interface RateShare {
  /** Notes a 429, with the wait that the upstream requested, if any. */
  limited(retryAfterMs: number | undefined): void
  /** From 0 to 1. */
  share(): number
  /** When the share begins to rise again, on the clock's monotonic milliseconds; undefined when it is 1. */
  limitedUntil(): number | undefined
}

export type RateShareSettings = {
  /** How long a refusal without a Retry-After counts. */
  readonly usualMs: number
  /** The longest wait that is respected, whatever the upstream asks for. */
  readonly longestMs: number
  /** How long the rise from 0 to 1 takes. */
  readonly recoveryMs: number
  /** A refusal without a Retry-After halves the share, down to this. */
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
      // With a Retry-After it gets no calls until then. Without one, the share is halved to find the limit.
      lowShare = retryAfterMs === undefined ? Math.min(share, Math.max(share / 2, leastShare)) : 0
      until = Math.max(until, now + holdMs)
    },
    share: () => shareAt(clock.now()),
    limitedUntil: () => (shareAt(clock.now()) === 1 ? undefined : until),
  }
}
