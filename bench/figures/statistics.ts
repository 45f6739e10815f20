/** The smallest value that at least `share` (0 to 1) of all values do not exceed; NaN when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The middle value, or the mean of the two middle ones; NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** One figure over the rounds: half of them lie between the quartiles, and how far apart those are is the noise. */
export type Spread = {
  readonly median: number
  readonly lowerQuartile: number
  readonly upperQuartile: number
}

/** The spread of one figure. */
export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    lowerQuartile: percentile(values, 0.25),
    upperQuartile: percentile(values, 0.75),
  }
}

/**
 * What `compare` says of the two figures of each round. Neighbours in time are compared, so a machine that slows down
 * halfway changes both sides of a comparison and hardly its result.
 */
export function compareRounds(
  left: readonly number[],
  right: readonly number[],
  compare: (left: number, right: number) => number,
): Spread {
  return spreadOf(left.map((value, round) => compare(value, right[round] ?? Number.NaN)))
}
