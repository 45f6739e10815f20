import { describe, expect, test } from 'vitest'
import type { PackedResponse, ResponseShelf } from '../../src/core/model/response-shelf.ts'

export type ResponseShelfSubject = {
  readonly name: string
  open(bounds: ResponseShelfBounds): Promise<ResponseShelfStage>
}

export type ResponseShelfBounds = {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
}

export type ResponseShelfStage = AsyncDisposable & {
  readonly shelf: ResponseShelf
  /** The clock that it goes by. */
  readonly clock: { at: number }
}

/** Runs the suite that every place for responses has to pass. */
export function describeResponseShelf({ name, open }: ResponseShelfSubject): void {
  const begin = (bounds: Partial<ResponseShelfBounds> = {}) =>
    open({ maxEntries: 100, maxBytes: 1_000_000, ttlMs: 1000, ...bounds })

  describe(`responses in ${name}`, () => {
    test('are found by their ids, by the tenant they were made for', async () => {
      await using stage = await begin()
      const { shelf } = stage
      await shelf.put('a', aResponse('one', { text: 'said \u{1f600} \\u0000' }))
      expect(await shelf.find('a', 'one')).toMatchObject({
        ...{ id: 'one', previousId: undefined, text: 'said \u{1f600} \\u0000', bytes: 100, nodes: 10 },
      })
      expect(await shelf.find('b', 'one')).toBeUndefined()
      expect(await shelf.find('a', 'two')).toBeUndefined()
    })

    test('are recalled with all that they continue from, the last first', async () => {
      await using stage = await begin()
      const { shelf } = stage
      await shelf.put('a', aResponse('one'))
      await shelf.put('a', aResponse('two', { previousId: 'one' }))
      await shelf.put('a', aResponse('three', { previousId: 'two' }))
      await shelf.put('b', aResponse('two', { text: 'of another' }))
      const recalled = await shelf.recall('a', { ...all, id: 'three' })
      expect(recalled.conversation.map(({ id, text }) => [id, text])).toEqual([
        ['three', 'text of three'],
        ['two', 'text of two'],
        ['one', 'text of one'],
      ])
      expect(recalled.missing).toBeUndefined()
      expect((await shelf.recall('b', { ...all, id: 'three' })).missing).toBe('three')
    })

    test('tell which one is missing', async () => {
      await using stage = await begin()
      const { shelf } = stage
      await shelf.put('a', aResponse('two', { previousId: 'one' }))
      await shelf.put('a', aResponse('three', { previousId: 'two' }))
      const recalled = await shelf.recall('a', { ...all, id: 'three' })
      expect([recalled.conversation.length, recalled.missing]).toEqual([2, 'one'])
      expect((await shelf.recall('a', all)).missing).toBeUndefined()
    })

    test('come up to the first that is too much', async () => {
      await using stage = await begin()
      const { shelf } = stage
      let previousId: string | undefined
      for (const id of ['one', 'two', 'three', 'four']) {
        await shelf.put('a', aResponse(id, { previousId, itemIds: [`${id}-in`] }))
        previousId = id
      }
      for (const room of [
        { bytes: 250, nodes: 1000 },
        { bytes: 100_000, nodes: 25 },
      ]) {
        const itemIds = ['one-in', 'two-in', 'three-in', 'four-in']
        const { conversation, missing, holders } = await shelf.recall('a', { id: 'four', itemIds, ...room })
        expect(conversation.map(({ id }) => id)).toEqual(['four', 'three', 'two'])
        expect([missing, holders.length]).toEqual([undefined, 3])
      }
    })

    test('are found by the items that they hold', async () => {
      await using stage = await begin()
      const { shelf } = stage
      await shelf.put('a', aResponse('one', { itemIds: ['i', 'j', 'i'] }))
      await shelf.put('a', aResponse('two', { itemIds: ['k'] }))
      const holdersOf = async (tenant: string, ...itemIds: readonly string[]) =>
        (await shelf.recall(tenant, { ...all, itemIds })).holders.map(({ id }) => id).toSorted()
      expect(await holdersOf('a', 'i', 'j')).toEqual(['one'])
      expect(await holdersOf('a', 'j', 'k', 'l', 'odd\0')).toEqual(['one', 'two'])
      expect(await holdersOf('b', 'i')).toEqual([])
      await shelf.put('a', aResponse('one', { itemIds: ['j'] }))
      expect(await holdersOf('a', 'i')).toEqual([])
      await shelf.remove('a', 'one')
      expect(await holdersOf('a', 'j')).toEqual([])
    })

    test('are gone when they are removed', async () => {
      await using stage = await begin()
      const { shelf } = stage
      await shelf.put('a', aResponse('one'))
      expect(await shelf.remove('b', 'one')).toBe(false)
      expect(await shelf.remove('a', 'one')).toBe(true)
      expect(await shelf.remove('a', 'one')).toBe(false)
      expect(await shelf.find('a', 'one')).toBeUndefined()
      expect(await shelf.remove('a', 'odd\0')).toBe(false)
    })

    test('are forgotten when nobody uses them for their time', async () => {
      await using stage = await begin({ ttlMs: 1000 })
      const { shelf, clock } = stage
      await shelf.put('a', aResponse('one'))
      await shelf.put('a', aResponse('two', { previousId: 'one', itemIds: ['i'] }))
      clock.at = 999
      await shelf.recall('a', { ...all, id: 'two' })
      clock.at = 1998
      expect((await shelf.recall('a', { ...all, id: 'two' })).conversation).toHaveLength(2)
      expect((await shelf.recall('a', { ...all, itemIds: ['i'] })).holders).toHaveLength(1)
      clock.at = 2998
      expect((await shelf.recall('a', { ...all, id: 'two', itemIds: ['i'] })).conversation).toHaveLength(0)
      expect(await shelf.find('a', 'one')).toBeUndefined()
      expect(await shelf.remove('a', 'two')).toBe(false)
    })

    test('make room within their number: the oldest of the one who has most', async () => {
      await using stage = await begin({ maxEntries: 3 })
      const { shelf, clock } = stage
      await shelf.put('little', aResponse('mine'))
      for (const id of ['a', 'b', 'c', 'd']) {
        clock.at++
        await shelf.put('much', aResponse(id))
      }
      const there = await Promise.all(['a', 'b', 'c', 'd'].map((id) => shelf.find('much', id)))
      expect(there.map((one) => one?.id)).toEqual([undefined, undefined, 'c', 'd'])
      expect(await shelf.find('little', 'mine')).toBeDefined()
    })

    test('make room within their size, and none for one that is larger than all of it', async () => {
      await using stage = await begin({ maxBytes: 250 })
      const { shelf, clock } = stage
      for (const id of ['a', 'b', 'c']) {
        clock.at++
        await shelf.put('t', aResponse(id))
      }
      await shelf.put('t', aResponse('huge', { bytes: 251 }))
      const there = await Promise.all(['a', 'b', 'c', 'huge'].map((id) => shelf.find('t', id)))
      expect(there.map((one) => one?.id)).toEqual([undefined, 'b', 'c', undefined])
    })
  })
}

const all = { id: undefined, itemIds: [], bytes: 1_000_000, nodes: 1_000_000 }

function aResponse(id: string, change: Partial<PackedResponse> = {}): PackedResponse {
  return { id, previousId: undefined, text: `text of ${id}`, itemIds: [], bytes: 100, nodes: 10, ...change }
}
