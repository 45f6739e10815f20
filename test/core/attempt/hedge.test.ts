import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hedge } from '../../../src/core/attempt/hedge.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a hedge', () => {
  test('does not start if the first is in time', async () => {
    const scene = aRace()
    scene.first.resolve('first')
    expect(await scene.race).toBe('first')
    await vi.advanceTimersByTimeAsync(1000)
    expect(scene.begun).toEqual(['first'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not start if the first fails in time', async () => {
    const scene = aRace()
    scene.first.reject(new Error('no'))
    await expect(scene.race).rejects.toThrow('no')
    expect(vi.getTimerCount()).toBe(0)
    expect(scene.begun).toEqual(['first'])
  })

  test.for([
    ['first', 'second'],
    ['second', 'first'],
  ] as const)('is won by the %s, and the %s is cancelled', async ([winner, loser]) => {
    const scene = aRace()
    await vi.advanceTimersByTimeAsync(100)
    expect(scene.begun).toEqual(['first', 'second'])
    scene[winner].resolve(winner)
    expect(await scene.race).toBe(winner)
    expect(scene.signals[loser]?.reason).toMatchObject({ kind: 'superseded' })
    expect(scene.signals[winner]?.aborted).toBe(false)
    scene[loser].resolve(loser)
    await vi.advanceTimersByTimeAsync(0)
    expect(scene.discarded).toEqual([loser])
  })

  test.for([
    ['first', 'second'],
    ['second', 'first'],
  ] as const)('continues with the other if the %s fails', async ([failing, other]) => {
    const scene = aRace()
    await vi.advanceTimersByTimeAsync(100)
    scene[failing].reject(new Error('no'))
    scene[other].resolve(other)
    expect(await scene.race).toBe(other)
  })

  test('rejects with the first error if both fail', async () => {
    const scene = aRace()
    await vi.advanceTimersByTimeAsync(100)
    scene.second.reject(new Error('second'))
    scene.first.reject(new Error('first'))
    await expect(scene.race).rejects.toThrow('second')
  })

  test('does not start without a second deployment', async () => {
    const scene = aRace(false)
    await vi.advanceTimersByTimeAsync(100)
    scene.first.resolve('first')
    expect(await scene.race).toBe('first')
  })
})

test('does not start for a caller that has left', async () => {
  const scene = aRace()
  scene.caller.abort(new Error('gone'))
  await vi.advanceTimersByTimeAsync(1000)
  expect(scene.begun).toEqual(['first'])
  expect(vi.getTimerCount()).toBe(0)
  scene.first.reject(new Error('gone'))
  await expect(scene.race).rejects.toThrow('gone')
})

test('a leaving caller aborts both, and the winner afterwards', async () => {
  const scene = aRace()
  await vi.advanceTimersByTimeAsync(100)
  scene.first.resolve('first')
  await scene.race
  const gone = new Error('gone')
  scene.caller.abort(gone)
  expect(scene.signals.first?.reason).toBe(gone)
})

function aRace(hasSecond = true) {
  const first = Promise.withResolvers<string>()
  const second = Promise.withResolvers<string>()
  const caller = new AbortController()
  const begun: string[] = []
  const discarded: string[] = []
  const signals: { first?: AbortSignal; second?: AbortSignal } = {}
  const race = hedge({
    afterMs: 100,
    signal: caller.signal,
    first(signal) {
      begun.push('first')
      signals.first = signal
      return first.promise
    },
    second(signal) {
      if (!hasSecond) return undefined
      begun.push('second')
      signals.second = signal
      return second.promise
    },
    discard: (made) => discarded.push(made),
  })
  return { first, second, caller, begun, discarded, signals, race }
}
