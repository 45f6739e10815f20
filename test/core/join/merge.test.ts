import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { merge } from '../../../src/core/join/merge.ts'

const unhandled: unknown[] = []
const noteUnhandled = (reason: unknown) => void unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', noteUnhandled)
})
afterEach(async () => {
  await setImmediate()
  process.off('unhandledRejection', noteUnhandled)
  expect(unhandled).toEqual([])
})

describe('values', () => {
  test('have the position of their task, in order per task', async () => {
    const tasks = [['a', 'b', 'c'], [], ['d'], ['e', 'f']]
    const seen = await collect(
      merge(
        tasks.map((values) => async () => values),
        2,
      ),
    )
    expect(byPosition(seen)).toEqual({ 0: ['a', 'b', 'c'], 2: ['d'], 3: ['e', 'f'] })
  })

  test('are yielded when ready, not in the order of tasks', async () => {
    const late = Promise.withResolvers<string>()
    const merged = merge([() => late.promise.then((value) => [value]), async () => ['early']], 2)
    expect(await merged.next()).toEqual({ done: false, value: { position: 1, value: 'early' } })
    late.resolve('late')
    expect(await merged.next()).toEqual({ done: false, value: { position: 0, value: 'late' } })
    expect((await merged.next()).done).toBe(true)
  })

  test('of no tasks end at once', async () => {
    expect(await collect(merge([], 3))).toEqual([])
  })

  test('are complete for any tasks and limit, and no more tasks run than the limit', async () => {
    const work = fc.array(fc.array(fc.nat(3), { maxLength: 4 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(work, fc.integer({ min: 1, max: 10 }), async (delays, limit) => {
        const { tasks, begun, peak } = countedTasks(delays)
        const seen = await collect(merge(tasks, limit))
        expect(byPosition(seen)).toEqual(
          Object.fromEntries(
            delays.flatMap((values, at) => (values.length > 0 ? [[at, [...values.keys()]]] : [])),
          ),
        )
        expect(begun).toEqual(delays.map((_, position) => position))
        expect(peak()).toBe(Math.min(limit, delays.length))
      }),
      { numRuns: 50 },
    )
  })
})

test('beyond the limit, a task begins only when an earlier one is done', async () => {
  const begun: number[] = []
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<string[]>())
  const tasks = ends.map(({ promise }, position) => () => {
    begun.push(position)
    return promise
  })
  const merged = collect(merge(tasks, 2))
  await setImmediate()
  expect(begun).toEqual([0, 1])
  ends[1]?.resolve([])
  await setImmediate()
  expect(begun).toEqual([0, 1, 2])
  for (const { resolve } of ends) resolve([])
  expect(await merged).toEqual([])
  expect(begun).toEqual([0, 1, 2, 3])
})

describe('when one rejects', () => {
  const broken = new Error('broken')

  test('so does the result; the others return, and waiting ones never begin', async () => {
    const others = [lane(['a', 'b']), lane(['c', 'd'])]
    let begun = false
    const last = async () => {
      begun = true
      return []
    }
    const merged = merge([...others.map(({ task }) => task), failing(['x'], broken), last], 3)
    await expect(collect(merged)).rejects.toBe(broken)
    await setImmediate()
    expect(others.map(({ returned }) => returned())).toEqual([true, true])
    expect(begun).toBe(false)
  })

  test('at its beginning, the others return too', async () => {
    const other = lane(['a'])
    const merged = merge([other.task, () => Promise.reject(broken)], 2)
    await expect(collect(merged)).rejects.toBe(broken)
    await setImmediate()
    expect(other.returned()).toBe(true)
  })

  test('and others do too, only the first rejection is reported', async () => {
    const late = Promise.withResolvers<never>()
    const tasks = [
      () => Promise.reject(broken),
      () => Promise.reject(new Error('at once')),
      failing([], new Error('as it goes')),
      () => late.promise,
    ]
    await expect(collect(merge(tasks, 4))).rejects.toBe(broken)
    late.reject(new Error('later'))
    await setImmediate()
    expect(unhandled).toEqual([])
  })
})

describe('a reader that leaves', () => {
  test('makes all running tasks return, and no more begin', async () => {
    const lanes = [lane(['a', 'b']), lane(['c', 'd']), lane(['e'])]
    const merged = merge(
      lanes.map(({ task }) => task),
      2,
    )
    await merged.next()
    await merged.return()
    await setImmediate()
    expect(lanes.map(({ returned }) => returned())).toEqual([true, true, undefined])
  })

  test('makes a task that is still opening return once open', async () => {
    const opening = Promise.withResolvers<void>()
    const slow = lane(['b'])
    const merged = merge([async () => ['a'], () => opening.promise.then(slow.task)], 2)
    await merged.next()
    await merged.return()
    opening.resolve()
    await setImmediate()
    expect(slow.returned()).toBe(true)
  })
})

type Merged = AsyncGenerator<{ position: number; value: unknown }, void, void>

async function collect(merged: Merged): Promise<{ position: number; value: unknown }[]> {
  const seen = []
  for await (const item of merged) seen.push(item)
  return seen
}

function byPosition(seen: readonly { position: number; value: unknown }[]): Record<number, unknown[]> {
  const values: Record<number, unknown[]> = {}
  for (const { position, value } of seen) {
    values[position] ??= []
    values[position].push(value)
  }
  return values
}

/** Tasks that yield one value per delay, in turns of the event loop. */
function countedTasks(delays: readonly (readonly number[])[]) {
  const begun: number[] = []
  let atWork = 0
  let peak = 0
  const tasks = delays.map((turns, position) => async () => {
    begun.push(position)
    peak = Math.max(peak, ++atWork)
    return (async function* () {
      for (const [value, count] of turns.entries()) {
        for (let turn = 0; turn < count; turn++) await Promise.resolve()
        yield value
      }
      await setImmediate()
      atWork--
    })()
  })
  return { tasks, begun, peak: () => peak }
}

/** A task that yields some values, then waits until it is returned. */
function lane(values: readonly string[]) {
  let returned: boolean | undefined
  const task = async (): Promise<AsyncIterable<string>> => {
    returned = false
    let at = 0
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const value = values[at++]
          return value === undefined
            ? new Promise<never>(() => undefined)
            : Promise.resolve({ done: false, value })
        },
        return: () => {
          returned = true
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
  }
  return { task, returned: () => returned }
}

function failing(values: readonly string[], thrown: Error) {
  return async () =>
    (async function* () {
      yield* values
      throw thrown
    })()
}
