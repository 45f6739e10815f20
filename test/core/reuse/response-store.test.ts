import { expect, test } from 'vitest'
import { createMemoryResponses, type StorageBounds } from '../../../src/core/reuse/memory-responses.ts'
import {
  createResponseStore,
  type RecallBounds,
  type StoredResponse,
} from '../../../src/core/reuse/response-store.ts'

const item = (id: string, text = id) => ({ id, type: 'message', text })

function stored(id: string, previousId?: string, text = ''): StoredResponse {
  return {
    ...{ id, previousId },
    input: [item(`${id}-in`, text)],
    response: { id, output: [item(`${id}-out`)] },
  }
}

function scene(bounds: Partial<StorageBounds> & Partial<RecallBounds> = {}) {
  const time = { now: 0 }
  const { bytes = 1_000_000, nodes = 100_000, ...others } = bounds
  const cache = createMemoryResponses(
    { now: () => time.now },
    { maxEntries: 100, maxBytes: 1_000_000, ttlMs: 1000, ...others },
  )
  const store = createResponseStore(cache, { bytes, nodes })
  const idsOf = async (tenant: string, ids: readonly string[]) => {
    const found = await Promise.all(ids.map((id) => store.find(tenant, id)))
    return ids.filter((_, at) => found[at] !== undefined)
  }
  const conversation = async (tenant: string, id: string) =>
    (await store.recall(tenant, id, [])).conversation()
  const findItems = async (tenant: string, ids: readonly string[]) =>
    (await store.recall(tenant, undefined, ids)).findItems(new Set(ids))
  const findItem = async (tenant: string, id: string) => (await findItems(tenant, [id])).get(id)
  return { store, time, idsOf, findItem, findItems, conversation }
}

const idsIn = (items: readonly { [key: string]: unknown }[] | undefined) => items?.map(({ id }) => id)

test('a stored response is found, and its items by their ids', async () => {
  const { store, findItem } = scene()
  void store.put('a', stored('one'))
  expect(await store.find('a', 'one')).toEqual(stored('one'))
  expect(await findItem('a', 'one-in')).toEqual(item('one-in', ''))
  expect(await findItem('a', 'one-out')).toEqual(item('one-out'))
  expect(await findItem('a', 'one')).toBeUndefined()
})

test('a tenant cannot see another’s responses', async () => {
  const { store, findItem, conversation } = scene()
  void store.put('a', stored('one'))
  expect(await store.find('b', 'one')).toBeUndefined()
  expect(await findItem('b', 'one-out')).toBeUndefined()
  await expect(conversation('b', 'one')).rejects.toThrow("Previous response with id 'one' not found.")
  expect(await store.remove('b', 'one')).toBe(false)
  expect(await store.find('a', 'one')).toBeDefined()
})

test('a conversation is all of its items, in order', async () => {
  const { store, conversation } = scene()
  void store.put('a', stored('one'))
  void store.put('a', stored('two', 'one'))
  void store.put('a', stored('three', 'two'))
  expect(idsIn(await conversation('a', 'three'))).toEqual(
    ['one', 'two', 'three'].flatMap((id) => [`${id}-in`, `${id}-out`]),
  )
  expect(idsIn(await conversation('a', 'one'))).toEqual(['one-in', 'one-out'])
})

test('a conversation with a missing response is refused', async () => {
  const { store, findItem, conversation } = scene()
  void store.put('a', stored('one'))
  void store.put('a', stored('two', 'one'))
  expect(await store.remove('a', 'one')).toBe(true)
  await expect(conversation('a', 'two')).rejects.toThrow(
    expect.objectContaining({
      message: "Previous response with id 'one' not found.",
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    }),
  )
  expect(await findItem('a', 'one-out')).toBeUndefined()
  expect(await store.remove('a', 'one')).toBe(false)
})

test('a reader’s changes do not affect the next reader', async () => {
  const { store } = scene()
  void store.put('a', stored('one'))
  const taken = await store.find('a', 'one')
  if (taken) taken.response['output'] = []
  expect(await store.find('a', 'one')).toEqual(stored('one'))
})

test('an unused response expires', async () => {
  const { store, time, findItem } = scene({ ttlMs: 10 })
  void store.put('a', stored('one'))
  time.now = 9
  expect(await store.find('a', 'one')).toBeDefined()
  time.now = 18
  expect(await findItem('a', 'one-out')).toBeDefined()
  time.now = 28
  expect(await store.find('a', 'one')).toBeUndefined()
  expect(await findItem('a', 'one-out')).toBeUndefined()
})

test('continuing a conversation keeps all of it', async () => {
  const { store, time, conversation } = scene({ ttlMs: 10 })
  void store.put('a', stored('one'))
  void store.put('a', stored('two', 'one'))
  time.now = 9
  await conversation('a', 'two')
  time.now = 18
  expect(await conversation('a', 'two')).toHaveLength(4)
})

test('their number is limited: the least recently used is evicted', async () => {
  const { store, idsOf } = scene({ maxEntries: 2 })
  void store.put('a', stored('one'))
  void store.put('a', stored('two'))
  await store.find('a', 'one')
  void store.put('a', stored('three'))
  expect(await idsOf('a', ['one', 'two', 'three'])).toEqual(['one', 'three'])
})

test('their memory is limited', async () => {
  const { store, idsOf } = scene({ maxBytes: 40_000 })
  for (const id of ['one', 'two', 'three']) void store.put('a', stored(id, undefined, 'x'.repeat(7000)))
  expect(await idsOf('a', ['one', 'two', 'three'])).toEqual(['two', 'three'])
  void store.put('a', stored('four', undefined, 'x'.repeat(30_000)))
  expect(await idsOf('a', ['two', 'three', 'four'])).toEqual(['two', 'three'])
})

test('a short request cannot load more than the limit', async () => {
  const { store, conversation, findItems } = scene({ bytes: 40_000 })
  void store.put('a', stored('one', undefined, 'x'.repeat(7000)))
  void store.put('a', stored('two', 'one', 'x'.repeat(7000)))
  void store.put('a', stored('three', 'two', 'x'.repeat(7000)))
  expect(await conversation('a', 'two')).toHaveLength(4)
  await expect(conversation('a', 'three')).rejects.toThrow('longer than this gateway can load')
  expect((await findItems('a', ['one-in', 'one-out', 'two-in'])).size).toBe(3)
  await expect(findItems('a', ['one-out', 'two-out', 'three-out'])).rejects.toThrow(
    'longer than this gateway can load',
  )
})

test('a response stored twice counts once', async () => {
  const { store, idsOf } = scene({ maxEntries: 2 })
  void store.put('a', stored('one'))
  for (let times = 0; times < 5; times++) void store.put('a', stored('two'))
  expect(await idsOf('a', ['one', 'two'])).toEqual(['one', 'two'])
})

test('the tenant with the largest share is evicted first', async () => {
  const { store, idsOf } = scene({ maxEntries: 3 })
  void store.put('little', stored('one'))
  for (const id of ['two', 'three', 'four', 'five']) void store.put('much', stored(id))
  expect(await idsOf('little', ['one'])).toEqual(['one'])
  expect(await idsOf('much', ['two', 'three', 'four', 'five'])).toEqual(['four', 'five'])
})
