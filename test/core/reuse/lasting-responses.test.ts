import { expect, test } from 'vitest'
import type { PackedResponse } from '../../../src/core/model/response-shelf.ts'
import { createLastingResponses } from '../../../src/core/reuse/lasting-responses.ts'
import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'

test('what is kept goes to the store, and is found there', async () => {
  const { shelf, store, memory } = scene()
  await shelf.put('t', aResponse('one'))
  expect([store.size, memory.size]).toEqual([1, 0])
  expect(await shelf.find('t', 'one')).toMatchObject({ id: 'one' })
  expect(await shelf.remove('t', 'one')).toBe(true)
  expect(store.size).toBe(0)
})

test('while the store is away it waits in memory, and goes there later', async () => {
  const { shelf, store, memory, clock, events, lose } = scene()
  const restore = lose()
  await shelf.put('t', aResponse('one'))
  await shelf.put('t', aResponse('two', 'one'))
  expect(memory.size).toBe(2)
  expect((await shelf.recall('t', wanting('two'))).conversation).toHaveLength(2)
  restore()
  clock.at += 1000
  expect(await shelf.find('t', 'one')).toMatchObject({ id: 'one' })
  expect([store.size, memory.size]).toEqual([2, 0])
  expect(events).toEqual(['away: Lost.', 'back'])
})

test('what is not in memory is then unavailable, not unknown', async () => {
  const { shelf, lose } = scene()
  await shelf.put('t', aResponse('one'))
  lose()
  await shelf.put('t', aResponse('two', 'one'))
  const refusal = { status: 503, code: 'store_unavailable' }
  await expect(shelf.find('t', 'one')).rejects.toMatchObject(refusal)
  await expect(shelf.recall('t', wanting('two'))).rejects.toMatchObject(refusal)
  await expect(shelf.remove('t', 'one')).rejects.toMatchObject(refusal)
})

test('a store that is away is asked once a second', async () => {
  const { shelf, asked, clock, lose } = scene()
  lose()
  for (let call = 0; call < 5; call++) await shelf.put('t', aResponse(`${call}`))
  expect(asked()).toBe(1)
  clock.at += 1000
  await shelf.put('t', aResponse('next'))
  expect(asked()).toBe(2)
})

test('the end hands over what waits', async () => {
  const { shelf, store, lose } = scene()
  const restore = lose()
  await shelf.put('t', aResponse('one'))
  restore()
  await shelf[Symbol.asyncDispose]()
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
  const shelf = createLastingResponses({
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
  return { shelf, store, memory, clock, events, lose, asked: () => asked }
}

function wanting(id: string) {
  return { id, itemIds: [], bytes: 1_000_000, nodes: 1_000_000 }
}

function aResponse(id: string, previousId?: string): PackedResponse {
  return { id, previousId, text: '', itemIds: [], bytes: 1, nodes: 1 }
}
