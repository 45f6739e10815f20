import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createQueue, type QueueSettings } from '../../../src/core/health/queue.ts'
import {
  announceFreed,
  createSharedPlaces,
  type SharedPlaces,
} from '../../../src/core/health/shared-places.ts'
import type { Queue } from '../../../src/core/model/ports.ts'
import { createMemoryState } from '../../../src/state/memory.ts'
import { createMemoryBus } from '../../../src/state/memory-bus.ts'
import { aCaller, watched } from '../../harness/core/attempt-walk.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const never = Number.POSITIVE_INFINITY

/** Processes of one gateway, each with a queue of the same provider. */
function processes(count: number, settings: Partial<QueueSettings> = {}) {
  const clock = { now: () => performance.now() }
  const state = createMemoryState(clock)
  const bus = createMemoryBus()
  let steps = 0
  const counted = {
    allot(wanted: Parameters<typeof state.allot>[0]) {
      steps++
      return state.allot(wanted)
    },
  }
  const queueOver = (places: SharedPlaces) => {
    const queue = createQueue({ concurrency: 4, queueMs: 60_000, queueLimit: 100, ...settings })
    queue.share((limit) => places.of('provider', limit))
    return { queue, places }
  }
  const all = Array.from({ length: count }, (_, at) =>
    queueOver(createSharedPlaces({ state: counted, bus, owner: `process-${at}`, clock })),
  )
  return {
    queues: all.map(({ queue }) => queue),
    steps: () => steps,
    /** The same process with another configuration. */
    renewed(at: number) {
      const places = all[at]?.places
      if (places === undefined) throw new TypeError('There is no such process.')
      return queueOver(places).queue
    },
    async kill(at: number) {
      all[at]?.places[Symbol.dispose]()
      await state.abandon(`process-${at}`)
      announceFreed(bus)
    },
  }
}

/** Takes a place like a call. */
async function enter(queue: Queue | undefined, leftMs = never): Promise<void> {
  if (queue === undefined) throw new TypeError('There is no such process.')
  if (!queue.enter()) await queue.wait(aCaller().signal, leftMs)
}

/** Delivers all pending messages. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

const running = (queues: readonly Queue[]) => queues.map((queue) => queue.read().running)

describe('processes that share the concurrency of a provider', () => {
  test('run at most the limit, all together', async () => {
    const { queues } = processes(2)
    const entering = Array.from({ length: 10 }, (_, at) => watched(enter(queues[at % 2])))
    await settle()
    expect(entering.filter(({ state }) => state() !== 'waiting')).toHaveLength(4)
    expect(running(queues).reduce((sum, each) => sum + each)).toBe(4)
  })

  test('give one process all places if the others need none', async () => {
    const [here, there] = (await warm(2)).queues
    for (let at = 0; at < 3; at++) await enter(here)
    await enter(there)
    there?.leave()
    const fourth = watched(enter(here))
    await settle()
    expect(fourth.state()).toBe('fulfilled')
  })

  test('wake a call that waits in one process when another returns a place', async () => {
    const { queues } = processes(2, { concurrency: 1 })
    const [here, there] = queues
    await enter(here)
    const waiting = watched(enter(there))
    await settle()
    expect(waiting.state()).toBe('waiting')
    here?.leave()
    await settle()
    expect(waiting.state()).toBe('fulfilled')
    expect(running(queues)).toEqual([0, 1])
  })

  test('are served round-robin, for any number of waiting calls', async () => {
    const { queues } = processes(2, { concurrency: 1 })
    const order: number[] = []
    await enter(queues[0])
    for (let at = 0; at < 4; at++) void enter(queues[0]).then(() => order.push(0))
    await settle()
    void enter(queues[1]).then(() => order.push(1))
    void enter(queues[1]).then(() => order.push(1))
    await settle()
    for (let at = 0; at < 6; at++) {
      queues[running(queues).indexOf(1)]?.leave()
      await settle()
    }
    expect(order.slice(0, 4).toSorted()).toEqual([0, 0, 1, 1])
    expect(order).toHaveLength(6)
  })

  test('never exceed the limit and leave no call waiting, for any order of events', async () => {
    const { queues } = processes(3)
    let next = 7
    const random = (below: number) => {
      next = (next * 1_103_515_245 + 12_345) % 2 ** 31
      return Math.floor((next / 2 ** 31) * below)
    }
    let entered = 0
    let asked = 0
    for (let step = 0; step < 2000; step++) {
      const queue = queues[random(3)]
      if (random(2) === 0 && asked < 500) {
        asked++
        void enter(queue).then(() => entered++)
      } else if ((queue?.read().running ?? 0) > 0) queue?.leave()
      if (random(4) === 0) await settle()
      expect(running(queues).reduce((sum, each) => sum + each)).toBeLessThanOrEqual(4)
    }
    for (let round = 0; round < 2000 && entered < asked; round++) {
      await settle()
      for (const queue of queues) if (queue.read().running > 0) queue.leave()
    }
    expect(entered).toBe(asked)
  })

  test('send no requests while places are free, and few while all are taken', async () => {
    const { queues, steps } = await warm(2, { concurrency: 100 })
    for (let at = 0; at < 10; at++) await enter(queues[0])
    await settle()
    const before = steps()
    for (let at = 0; at < 500; at++) {
      await enter(queues[0])
      queues[0]?.leave()
    }
    await settle()
    expect(steps()).toBe(before)
    const full = processes(2, { concurrency: 1 })
    await enter(full.queues[0])
    for (let at = 0; at < 20; at++) void enter(full.queues[at % 2])
    await settle()
    const whileFull = full.steps()
    await vi.advanceTimersByTimeAsync(10_000)
    // Each once a second, in case a message was lost.
    expect(full.steps() - whileFull).toBeLessThanOrEqual(2 * 2 * 10)
  })

  test('get the places of an ended process at once', async () => {
    const { queues, kill } = processes(2, { concurrency: 1 })
    await enter(queues[0])
    const waiting = watched(enter(queues[1]))
    await settle()
    await kill(0)
    await settle()
    expect(waiting.state()).toBe('fulfilled')
  })

  test('do not queue calls without a queue, except to ask each other', async () => {
    const { queues } = processes(2, { concurrency: 1, queueLimit: 0 })
    await enter(queues[0])
    queues[0]?.leave()
    const elsewhere = watched(enter(queues[1]))
    await settle()
    expect(elsewhere.state()).toBe('fulfilled')
    const refused = expect(enter(queues[0])).rejects.toMatchObject({ kind: 'busy' })
    await vi.advanceTimersByTimeAsync(250)
    await refused
  })

  test('count the calls of the previous configuration with the next, and serve both', async () => {
    const { queues, renewed } = processes(1, { concurrency: 1 })
    await enter(queues[0])
    const after = renewed(0)
    const waiting = watched(enter(after))
    const behind = watched(enter(queues[0]))
    await settle()
    expect([waiting.state(), behind.state()]).toEqual(['waiting', 'waiting'])
    queues[0]?.leave()
    await settle()
    queues[0]?.leave()
    await settle()
    expect([waiting.state(), behind.state()]).toEqual(['fulfilled', 'fulfilled'])
  })
})

/** Each has run a call, and keeps one or two places. */
async function warm(count: number, settings: Partial<QueueSettings> = {}) {
  const made = processes(count, settings)
  for (const queue of made.queues) {
    await enter(queue)
    queue.leave()
  }
  await settle()
  return made
}
