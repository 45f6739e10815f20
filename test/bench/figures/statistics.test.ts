import { expect, test } from 'vitest'
import { compareRounds, median, percentile } from '../../../bench/figures/statistics.ts'

test.for([
  [[3], 3],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[], Number.NaN],
] as const)('the median of %j is %d', ([values, expected]) => {
  expect(median(values)).toBe(expected)
})

test.for([
  [0, 1],
  [0.5, 50],
  [0.99, 99],
  [1, 100],
] as const)('of 1 to 100 a share of %d does not exceed %d', ([share, expected]) => {
  const values = Array.from({ length: 100 }, (_, place) => 100 - place)
  expect(percentile(values, share)).toBe(expected)
})

test('rounds are compared with the round beside them, not with the median of the others', () => {
  const compared = compareRounds([1, 20, 300], [2, 40, 600], (left, right) => left / right)
  expect(compared).toEqual({ median: 0.5, lowerQuartile: 0.5, upperQuartile: 0.5 })
})
