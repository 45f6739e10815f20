import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pause } from '../../../src/core/attempt/pause.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a pause has the requested length, and leaves no listener on the signal', async () => {
  const { signal } = new AbortController()
  const ended = vi.fn()
  const pausing = pause(2000, signal).then(ended)
  await vi.advanceTimersByTimeAsync(1999)
  expect(ended).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(ended).toHaveBeenCalledOnce()
  await pausing
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test.for([2000, Number.POSITIVE_INFINITY])(
  'a pause of %s ms ends with the signal and clears its timer',
  async (ms) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const pausing = pause(ms, controller.signal)
    controller.abort(reason)
    await expect(pausing).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  },
)

test('a pause never begins on a signal that has aborted', async () => {
  const reason = new Error('too late')
  await expect(pause(2000, AbortSignal.abort(reason))).rejects.toBe(reason)
  expect(vi.getTimerCount()).toBe(0)
})

test('a pause without end sets no timer', async () => {
  const controller = new AbortController()
  const pausing = pause(Number.POSITIVE_INFINITY, controller.signal)
  expect(vi.getTimerCount()).toBe(0)
  controller.abort()
  await expect(pausing).rejects.toThrow()
})
