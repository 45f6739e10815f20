import { expect, test } from 'vitest'
import type { PackedResponse } from '../../../src/core/model/response-storage.ts'
import { createLastingResponses } from '../../../src/core/reuse/lasting-responses.ts'
import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'

test('responses are written to the store, and found there', async () => {
  const { cache, store, memory } = scene()
  await cache.put('t', aResponse('one'))
  expect([store.size, memory.size]).toEqual([1, 0])
  expect(await cache.find('t', 'one')).toMatchObject({ id: 'one' })
  expect(await cache.remove('t', 'one')).toBe(true)
  expect(store.size).toBe(0)
})

test('while the store is unavailable they wait in memory, and are written later', async () => {
  const { cache, store, memory, clock, events, lose } = scene()
  const restore = lose()
  await cache.put('t', aResponse('one'))
  await cache.put('t', aResponse('two', 'one'))
  expect(memory.size).toBe(2)
  expect((await cache.recall('t', wanting('two'))).conversation).toHaveLength(2)
  restore()
  clock.at += 1000
  expect(await cache.find('t', 'one')).toMatchObject({ id: 'one' })
  expect([store.size, memory.size]).toEqual([2, 0])
  expect(events).toEqual(['away: Lost.', 'back'])
})

test('a response that is not in memory is then unavailable, not unknown', async () => {
  const { cache, lose } = scene()
  await cache.put('t', aResponse('one'))
  lose()
  await cache.put('t', aResponse('two', 'one'))
  const refusal = { status: 503, code: 'store_unavailable' }
  await expect(cache.find('t', 'one')).rejects.toMatchObject(refusal)
  await expect(cache.recall('t', wanting('two'))).rejects.toMatchObject(refusal)
  await expect(cache.remove('t', 'one')).rejects.toMatchObject(refusal)
})

test('an unavailable store is tried once a second', async () => {
  const { cache, asked, clock, lose } = scene()
  lose()
  for (let call = 0; call < 5; call++) await cache.put('t', aResponse(`${call}`))
  expect(asked()).toBe(1)
  clock.at += 1000
  await cache.put('t', aResponse('next'))
  expect(asked()).toBe(2)
})

test('disposing writes the waiting responses', async () => {
  const { cache, store, lose } = scene()
  const restore = lose()
  await cache.put('t', aResponse('one'))
  restore()
  await cache[Symbol.asyncDispose]()
  expect(store.size).toBe(1)
})

function scene() {
  const clock = { at: 0 }
  const now = () => clock.at
  const bounds = { maxEntries: 100, maxBytes: 1_000_000, ttlMs: 60_000 }
  const [store, memory] = [createMemoryResponses({ now }, bounds), createMemoryResponses({ now }, bounds)]
  const events: string[] = []
  let isLost = false
  let asked = 0
  const reached = <Answer>(answer: () => Answer): Promise<Answer> => {
    asked++
    return isLost ? Promise.reject(new Error('Lost.')) : Promise.resolve(answer())
  }
  const cache = createLastingResponses({
    memory,
    clock: { now },
    store: {
      put: (...of) => reached(() => store.put(...of)),
      find: (...of) => reached(() => store.find(...of)),
      recall: (...of) => reached(() => store.recall(...of)),
      remove: (...of) => reached(() => store.remove(...of)),
    },
    events: {
      away: (reason) => events.push(`away: ${reason}`),
      back: () => events.push('back'),
    },
  })
  const lose = () => {
    isLost = true
    return () => {
      isLost = false
    }
  }
  return { cache, store, memory, clock, events, lose, asked: () => asked }
}

function wanting(id: string) {
  return { id, itemIds: [], bytes: 1_000_000, nodes: 1_000_000 }
}

function aResponse(id: string, previousId?: string): PackedResponse {
  return { id, previousId, text: '', itemIds: [], bytes: 1, nodes: 1 }
}
