import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { watchPressure } from '../../../src/http/call/pressure.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A loop whose timers run so much after they are due, turn by turn. */
function aLoop(heapShare = () => 0.5) {
  let lostMs = 0
  const clock = { now: () => Date.now() + lostMs, epochMs: () => 0 }
  const pressure = watchPressure(clock, heapShare)
  return {
    pressure,
    turn(lateMs: number) {
      lostMs += lateMs
      vi.advanceTimersByTime(50)
    },
  }
}

describe('the delay of the event loop', () => {
  test.for([
    ['nothing late', Array(20).fill(0), 0],
    ['all a little late', Array(20).fill(30), 30],
    ['one long turn among many', [500, ...Array(9).fill(0)], 50],
    ['one turn longer than the window', [1500], 150],
    ['long turns, one after the other', Array(10).fill(300), 300],
    ['long turns that have begun', Array(5).fill(300), 150],
    ['what is over a second ago', [800, ...Array(20).fill(0)], 0],
  ] as const)('%s', ([, lateMs, expected]) => {
    const { pressure, turn } = aLoop()
    using _ = pressure
    for (const late of lateMs) turn(late)
    expect(pressure.loopDelayMs).toBe(expected)
  })
})

test('the heap is looked at repeatedly', () => {
  let share = 0.2
  const { pressure, turn } = aLoop(() => share)
  using _ = pressure
  expect(pressure.heapShare).toBe(0.2)
  share = 0.95
  turn(0)
  expect(pressure.heapShare).toBe(0.95)
})

test('the process’s own heap is in use, and not full', () => {
  using pressure = watchPressure({ now: () => 0, epochMs: () => 0 })
  expect(pressure.heapShare).toBeGreaterThan(0)
  expect(pressure.heapShare).toBeLessThan(1)
})

test('disposed, it looks no more', () => {
  const { pressure } = aLoop()
  expect(vi.getTimerCount()).toBe(1)
  pressure[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(0)
})
