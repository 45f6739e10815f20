import { expect, test } from 'vitest'
import {
  createResponseStore,
  type StoreBounds,
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

function scene(bounds: Partial<StoreBounds> = {}) {
  const time = { now: 0 }
  const store = createResponseStore(
    { now: () => time.now },
    {
      entries: 100,
      bytes: 1_000_000,
      requestBytes: 1_000_000,
      requestNodes: 100_000,
      ttlMs: 1000,
      ...bounds,
    },
  )
  const idsOf = (tenant: string, ids: readonly string[]) =>
    ids.filter((id) => store.find(tenant, id) !== undefined)
  const findItem = (tenant: string, id: string) => store.findItems(tenant, [id]).get(id)
  return { store, time, idsOf, findItem }
}

const idsIn = (items: readonly { [key: string]: unknown }[] | undefined) => items?.map(({ id }) => id)

test('what is kept is found, and its items by their own ids', () => {
  const { store, findItem } = scene()
  store.put('a', stored('one'))
  expect(store.find('a', 'one')).toEqual(stored('one'))
  expect(findItem('a', 'one-in')).toEqual(item('one-in', ''))
  expect(findItem('a', 'one-out')).toEqual(item('one-out'))
  expect(findItem('a', 'one')).toBeUndefined()
})

test('no tenant has what is another’s', () => {
  const { store, findItem } = scene()
  store.put('a', stored('one'))
  expect(store.find('b', 'one')).toBeUndefined()
  expect(findItem('b', 'one-out')).toBeUndefined()
  expect(() => store.conversation('b', 'one')).toThrow("Previous response with id 'one' not found.")
  expect(store.remove('b', 'one')).toBe(false)
  expect(store.find('a', 'one')).toBeDefined()
})

test('a conversation is all that was said, in order', () => {
  const { store } = scene()
  store.put('a', stored('one'))
  store.put('a', stored('two', 'one'))
  store.put('a', stored('three', 'two'))
  expect(idsIn(store.conversation('a', 'three'))).toEqual(
    ['one', 'two', 'three'].flatMap((id) => [`${id}-in`, `${id}-out`]),
  )
  expect(idsIn(store.conversation('a', 'one'))).toEqual(['one-in', 'one-out'])
})

test('a conversation with a gap is none', () => {
  const { store, findItem } = scene()
  store.put('a', stored('one'))
  store.put('a', stored('two', 'one'))
  expect(store.remove('a', 'one')).toBe(true)
  expect(() => store.conversation('a', 'two')).toThrow(
    expect.objectContaining({
      message: "Previous response with id 'one' not found.",
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    }),
  )
  expect(findItem('a', 'one-out')).toBeUndefined()
  expect(store.remove('a', 'one')).toBe(false)
})

test('what is changed by its taker is not changed for the next', () => {
  const { store } = scene()
  store.put('a', stored('one'))
  const taken = store.find('a', 'one')
  if (taken) taken.response['output'] = []
  expect(store.find('a', 'one')).toEqual(stored('one'))
})

test('what nobody uses is forgotten after a while', () => {
  const { store, time, findItem } = scene({ ttlMs: 10 })
  store.put('a', stored('one'))
  time.now = 9
  expect(store.find('a', 'one')).toBeDefined()
  time.now = 18
  expect(findItem('a', 'one-out')).toBeDefined()
  time.now = 28
  expect(store.find('a', 'one')).toBeUndefined()
  expect(findItem('a', 'one-out')).toBeUndefined()
})

test('going on with a conversation keeps all of it', () => {
  const { store, time } = scene({ ttlMs: 10 })
  store.put('a', stored('one'))
  store.put('a', stored('two', 'one'))
  time.now = 9
  store.conversation('a', 'two')
  time.now = 18
  expect(store.conversation('a', 'two')).toHaveLength(4)
})

test('there are so many and no more: what was not used for longest makes room', () => {
  const { store, idsOf } = scene({ entries: 2 })
  store.put('a', stored('one'))
  store.put('a', stored('two'))
  store.find('a', 'one')
  store.put('a', stored('three'))
  expect(idsOf('a', ['one', 'two', 'three'])).toEqual(['one', 'three'])
})

test('they take so much memory and no more', () => {
  const { store, idsOf } = scene({ bytes: 40_000 })
  for (const id of ['one', 'two', 'three']) store.put('a', stored(id, undefined, 'x'.repeat(7000)))
  expect(idsOf('a', ['one', 'two', 'three'])).toEqual(['two', 'three'])
  store.put('a', stored('four', undefined, 'x'.repeat(30_000)))
  expect(idsOf('a', ['two', 'three', 'four'])).toEqual(['two', 'three'])
})

test('a few words do not bring forth more than is good', () => {
  const { store } = scene({ requestBytes: 40_000 })
  store.put('a', stored('one', undefined, 'x'.repeat(7000)))
  store.put('a', stored('two', 'one', 'x'.repeat(7000)))
  store.put('a', stored('three', 'two', 'x'.repeat(7000)))
  expect(store.conversation('a', 'two')).toHaveLength(4)
  expect(() => store.conversation('a', 'three')).toThrow('more than this gateway can put together')
  expect(store.findItems('a', ['one-in', 'one-out', 'two-in']).size).toBe(3)
  expect(() => store.findItems('a', ['one-out', 'two-out', 'three-out'])).toThrow(
    'more than this gateway can put together',
  )
})

test('one put in again takes no more than once', () => {
  const { store, idsOf } = scene({ entries: 2 })
  store.put('a', stored('one'))
  for (let times = 0; times < 5; times++) store.put('a', stored('two'))
  expect(idsOf('a', ['one', 'two'])).toEqual(['one', 'two'])
})

test('who has most makes room for who has little', () => {
  const { store, idsOf } = scene({ entries: 3 })
  store.put('little', stored('one'))
  for (const id of ['two', 'three', 'four', 'five']) store.put('much', stored(id))
  expect(idsOf('little', ['one'])).toEqual(['one'])
  expect(idsOf('much', ['two', 'three', 'four', 'five'])).toEqual(['four', 'five'])
})
