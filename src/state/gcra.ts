import type { Rate, RateReading } from '../core/model/shared/state.ts'

/**
 * A token bucket as one number: when it is full again, in milliseconds (GCRA's theoretical arrival time). Taking moves
 * it later, a refund earlier, and the exact wait of a call follows from it.
 */
export type FullAt = number

/** The bucket after taking `amount`, regardless of room. */
export function taken(fullAt: FullAt, { perMinute }: Rate, amount: number, now: number): FullAt {
  return Math.max(fullAt, now) + amount * perTokenMs(perMinute)
}

/** The bucket after returning `amount`; a negative amount is owed, down to one burst below empty. */
export function refunded(fullAt: FullAt, rate: Rate, amount: number, now: number): FullAt {
  const moved = Math.max(fullAt, now) - amount * perTokenMs(rate.perMinute)
  return Math.min(Math.max(moved, now), now + 2 * burstMs(rate))
}

/** The state of the bucket for a request of `amount`. */
export function readingOf(fullAt: FullAt, rate: Rate, amount: number, now: number): RateReading {
  const debtMs = Math.max(0, fullAt - now)
  const roomMs = burstMs(rate) - debtMs
  const wantedMs = amount * perTokenMs(rate.perMinute)
  return {
    remaining: Math.max(0, Math.floor(roomMs / perTokenMs(rate.perMinute) + tolerance)),
    // Rounded, so that a whole number of seconds stays whole.
    resetMs: Math.round(debtMs * 1000) / 1000,
    retryAfterMs: amount > rate.burst ? Number.POSITIVE_INFINITY : waitOf(wantedMs - roomMs),
  }
}

/** The rounding error of sums of fractions is below this part of a token or a millisecond. */
const tolerance = 1e-6

function waitOf(missingMs: number): number {
  return missingMs <= tolerance ? 0 : missingMs
}

function burstMs({ burst, perMinute }: Rate): number {
  return burst * perTokenMs(perMinute)
}

function perTokenMs(perMinute: number): number {
  return 60_000 / perMinute
}
