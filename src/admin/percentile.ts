import { bucketBoundsMs } from '../ledger/store/rollup.ts'

/**
 * Below which so large a part of a histogram's calls lies, in milliseconds: between the bounds of its bucket, as if
 * that were filled evenly. Null without calls. What lies beyond the last bound is told by that bound.
 */
export function percentileOf(histogram: readonly number[], part: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let below = 0
  for (const [bucket, count] of histogram.entries()) {
    const lower = bucketBoundsMs[bucket - 1] ?? 0
    const upper = bucketBoundsMs[bucket] ?? lower
    if (count > 0 && below + count >= total * part) {
      return Math.round(lower + ((upper - lower) * (total * part - below)) / count)
    }
    below += count
  }
  return bucketBoundsMs.at(-1) ?? null
}
