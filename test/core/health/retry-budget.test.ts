import { expect, test } from 'vitest'
import { createRetryBudget } from '../../../src/core/health/retry-budget.ts'

function aBudget() {
  let now = 5_000
  const budget = createRetryBudget({ share: 0.2, least: 3 }, { now: () => now, epochMs: () => 0 })
  return {
    budget,
    pass: (ms: number) => {
      now += ms
    },
    calls(count: number, upstream = 'a') {
      for (let call = 0; call < count; call++) budget.note(upstream)
    },
    /** How many can be taken at once. */
    takeAll(upstream = 'a') {
      let taken = 0
      while (taken < 1000 && budget.take(upstream)) taken++
      return taken
    },
  }
}

test.for([
  [0, 3],
  [1, 3],
  [15, 3],
  [20, 4],
  [100, 20],
])('with %i calls there may be %i retries', ([calls = 0, more]) => {
  const scene = aBudget()
  scene.calls(calls)
  expect(scene.takeAll()).toBe(more)
})

test('each upstream has its own budget', () => {
  const scene = aBudget()
  scene.calls(100)
  expect(scene.takeAll('b')).toBe(3)
  expect(scene.takeAll('a')).toBe(20)
})

test.for([
  [29_999, 0],
  // Retries count for as long as the calls they were taken from.
  [30_000, 0],
  [59_999, 0],
  [60_000, 3],
  [3_600_000, 3],
])('after %i ms there may be %i retries again', ([ms = 0, more]) => {
  const scene = aBudget()
  scene.calls(100)
  scene.takeAll()
  scene.pass(ms)
  expect(scene.takeAll()).toBe(more)
})

test('calls of the half minute before count', () => {
  const scene = aBudget()
  scene.calls(50)
  scene.pass(30_000)
  scene.calls(50)
  expect(scene.takeAll()).toBe(20)
})
