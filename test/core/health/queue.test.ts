import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createQueue, type QueueSettings } from '../../../src/core/health/queue.ts'
import { aCaller, turn, watched } from '../../harness/core/attempt-walk.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const never = Number.POSITIVE_INFINITY

function aQueue(change: Partial<QueueSettings> = {}) {
  return createQueue({ concurrency: 2, queueMs: 1000, queueLimit: 3, ...change })
}

/** A full queue, with one waiting call. */
function aFullQueue(change: Partial<QueueSettings> = {}) {
  const queue = aQueue({ concurrency: 1, ...change })
  expect(queue.enter()).toBe(true)
  const { signal, leave } = aCaller()
  return { queue, signal, leave }
}

test('the number of places is limited, and a returned one is free again', () => {
  const queue = aQueue()
  expect([queue.enter(), queue.enter(), queue.enter()]).toEqual([true, true, false])
  expect(queue.read()).toEqual({ running: 2, waiting: 0 })
  queue.leave()
  expect(queue.read()).toEqual({ running: 1, waiting: 0 })
  expect([queue.enter(), queue.enter()]).toEqual([true, false])
})

test('places go to waiting calls in order of arrival, without overtaking', async () => {
  const { queue, signal } = aFullQueue()
  const order: string[] = []
  const waiting = ['a', 'b', 'c'].map((name) => queue.wait(signal, never).then(() => order.push(name)))
  for (let left = 3; left > 0; left--) {
    expect(queue.read()).toEqual({ running: 1, waiting: left })
    queue.leave()
    expect(queue.enter()).toBe(false)
    await turn()
  }
  await Promise.all(waiting)
  expect(order).toEqual(['a', 'b', 'c'])
  queue.leave()
  expect(queue.read()).toEqual({ running: 0, waiting: 0 })
})

describe('a wait ends', () => {
  test.for([
    ['the queue’s own time', 1000, never, 1000],
    ['what is left of the call', 1000, 300, 300],
    ['the queue’s own time, if more is left', 200, 5000, 200],
  ] as const)('after %s', async ([, queueMs, leftMs, endsMs]) => {
    const { queue, signal } = aFullQueue({ queueMs })
    const waiting = queue.wait(signal, leftMs)
    const seen = watched(waiting)
    await vi.advanceTimersByTimeAsync(endsMs - 1)
    expect(seen.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    await expect(waiting).rejects.toMatchObject({ kind: 'busy', status: 503, retryAfterMs: 1000 })
    expect(queue.read()).toEqual({ running: 1, waiting: 0 })
    expect([vi.getTimerCount(), getEventListeners(signal, 'abort').length]).toEqual([0, 0])
  })

  test('at once, if the queue is full', async () => {
    const { queue, signal } = aFullQueue({ queueLimit: 1 })
    const first = queue.wait(signal, never)
    await expect(queue.wait(signal, never)).rejects.toMatchObject({ kind: 'busy' })
    queue.leave()
    await first
    expect(queue.read()).toEqual({ running: 1, waiting: 0 })
  })

  test('at once, when the caller leaves, and later ones move up', async () => {
    const { queue, signal, leave } = aFullQueue()
    const other = aCaller()
    const gone = queue.wait(signal, never)
    const next = queue.wait(other.signal, never)
    leave()
    await expect(gone).rejects.toBe(signal.reason)
    expect(queue.read()).toEqual({ running: 1, waiting: 1 })
    queue.leave()
    await next
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(other.signal, 'abort')).toEqual([])
  })

  test('at once, for a caller that had already left', async () => {
    const { queue, signal, leave } = aFullQueue()
    leave()
    await expect(queue.wait(signal, never)).rejects.toBe(signal.reason)
    expect(queue.read()).toEqual({ running: 1, waiting: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('of several principals', () => {
  test('each is served in turn, for any number of another’s calls', async () => {
    const { queue, signal } = aFullQueue({ queueLimit: 100 })
    const order: string[] = []
    for (const who of ['loud', 'loud', 'loud', 'quiet', 'loud', 'quiet']) {
      void queue.wait(signal, never, who).then(() => order.push(who))
    }
    for (let left = 0; left < 6; left++) {
      queue.leave()
      await turn()
    }
    expect(order).toEqual(['loud', 'quiet', 'loud', 'quiet', 'loud', 'loud'])
  })

  test('one cannot fill the queue alone', async () => {
    const { queue, signal } = aFullQueue({ queueLimit: 100 })
    const refused = Array.from({ length: 100 }, () => watched(queue.wait(signal, never, 'loud')))
    await turn()
    expect(refused.filter(({ state }) => state() === 'waiting')).toHaveLength(90)
    const other = watched(queue.wait(signal, never, 'quiet'))
    await turn()
    expect(other.state()).toBe('waiting')
  })
})
