import { describe, expect, test } from 'vitest'
import { createRateShare, type RateShareSettings } from '../../../src/core/health/rate-share.ts'
import { handClock } from '../../harness/core/pool.ts'

const settings: RateShareSettings = { usualMs: 5000, longestMs: 60_000, recoveryMs: 10_000, leastShare: 0.1 }

describe('the share after one refusal', () => {
  /** The Retry-After, then the share after these milliseconds. */
  const cases: [string, number | undefined, [number, number][]][] = [
    [
      'is halved without a Retry-After, and rises after the usual time',
      undefined,
      [
        [0, 0.5],
        [4999, 0.5],
        [5000, 0.5],
        [7500, 0.75],
        [10_000, 1],
        [99_999, 1],
      ],
    ],
    [
      'is 0 until the Retry-After, and then rises',
      20_000,
      [
        [0, 0],
        [19_999, 0],
        [20_000, 0],
        [25_000, 0.5],
        [30_000, 1],
      ],
    ],
    [
      'begins to rise at once if that time is over',
      0,
      [
        [0, 0],
        [5000, 0.5],
        [10_000, 1],
      ],
    ],
    [
      'is 0 for at most the longest time',
      86_400_000,
      [
        [59_999, 0],
        [65_000, 0.5],
        [70_000, 1],
      ],
    ],
    [
      'takes a time before now for now',
      -5000,
      [
        [0, 0],
        [5000, 0.5],
      ],
    ],
  ]
  test.for(cases)('%s', ([_, retryAfterMs, expected]) => {
    for (const [afterMs, share] of expected) {
      const clock = handClock()
      const load = createRateShare(clock, settings)
      load.limited(retryAfterMs)
      clock.move(afterMs)
      expect(load.share(), `after ${afterMs} ms`).toBeCloseTo(share, 10)
    }
  })
})

test('a full share has no limit', () => {
  const load = createRateShare(handClock(), settings)
  expect(load.share()).toBe(1)
  expect(load.limitedUntil()).toBeUndefined()
})

test('refusals without a time halve the share repeatedly, down to the minimum', () => {
  const load = createRateShare(handClock(), settings)
  const shares = Array.from({ length: 6 }, () => {
    load.limited(undefined)
    return load.share()
  })
  expect(shares).toEqual([0.5, 0.25, 0.125, 0.1, 0.1, 0.1])
})

test('a refusal never makes a reset earlier or a share larger', () => {
  const clock = handClock()
  const load = createRateShare(clock, settings)
  load.limited(30_000)
  load.limited(1000)
  load.limited(undefined)
  expect(load.limitedUntil()).toBe(clock.now() + 30_000)
  clock.move(29_999)
  expect(load.share()).toBe(0)
})

test('a refusal during recovery starts from the current share', () => {
  const clock = handClock()
  const load = createRateShare(clock, settings)
  load.limited(1000)
  clock.move(7000)
  expect(load.share()).toBeCloseTo(0.6)
  load.limited(undefined)
  expect(load.share()).toBeCloseTo(0.3)
  expect(load.limitedUntil()).toBe(clock.now() + settings.usualMs)
})

test('the limit is shown until the share is full again', () => {
  const clock = handClock()
  const load = createRateShare(clock, settings)
  load.limited(1000)
  clock.move(10_999)
  expect(load.limitedUntil()).toBe(2000)
  clock.move(1)
  expect(load.limitedUntil()).toBeUndefined()
})
