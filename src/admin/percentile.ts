import { bucketBoundsMs } from '../ledger/store/rollup.ts'

/**
 * The duration in milliseconds that this part of a histogram's calls stays below; the histogram begins at an index of
 * `sums`. Interpolates linearly within a bucket. Null without calls. Beyond the last bound, it is that bound.
 */
export function percentileOf(sums: ArrayLike<number>, first: number, part: number): number | null {
  let total = 0
  for (let bucket = 0; bucket <= bucketBoundsMs.length; bucket++) total += sums[first + bucket] ?? 0
  if (total === 0) return null
  let below = 0
  for (let bucket = 0; bucket <= bucketBoundsMs.length; bucket++) {
    const count = sums[first + bucket] ?? 0
    if (count > 0 && below + count >= total * part) {
      const lower = bucketBoundsMs[bucket - 1] ?? 0
      const upper = bucketBoundsMs[bucket] ?? lower
      return Math.round(lower + ((upper - lower) * (total * part - below)) / count)
    }
    below += count
  }
  return bucketBoundsMs.at(-1) ?? null
}
