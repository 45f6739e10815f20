import { expect, test } from 'vitest'
import { percentileOf } from '../../src/admin/percentile.ts'

const histogram = (...pairs: readonly (readonly [number, number])[]) => {
  const counts = Array.from({ length: 14 }, () => 0)
  for (const [bucket, count] of pairs) counts[bucket] = count
  return counts
}

test.for<[string, readonly number[], number, number | null]>([
  ['nothing', histogram(), 0.5, null],
  ['one call in the first bucket', histogram([0, 1]), 0.5, 13],
  ['one call of 25 to 50 ms', histogram([1, 1]), 1, 50],
  ['half of them in each of two', histogram([1, 10], [3, 10]), 0.5, 50],
  ['the upper half', histogram([1, 10], [3, 10]), 0.75, 150],
  ['beyond the last bound', histogram([13, 5]), 0.95, 102_400],
])('of %s', ([, counts, part, expected]) => {
  expect(percentileOf([0, 0, ...counts], 2, part)).toBe(expected)
})
