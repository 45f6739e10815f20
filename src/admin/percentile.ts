import { bucketBoundsMs } from '../ledger/store/rollup.ts'

/**
 * The duration in milliseconds that this part of a histogram's calls stays below. Interpolates linearly within a
 * bucket. Null without calls. Beyond the last bound, it is that bound.
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
