import { describe, expect, test } from 'vitest'
import type { PackedResponse, ResponseStorage } from '../../src/core/model/response-storage.ts'

export type ResponseStorageSubject = {
  readonly name: string
  open(bounds: ResponseStorageBounds): Promise<ResponseStorageStage>
}

export type ResponseStorageBounds = {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
}

export type ResponseStorageStage = AsyncDisposable & {
  readonly storage: ResponseStorage
  /** Its clock. */
  readonly clock: { at: number }
}

/** Runs the suite that every storage for responses has to pass. */
export function describeResponseStorage({ name, open }: ResponseStorageSubject): void {
  const begin = (bounds: Partial<ResponseStorageBounds> = {}) =>
    open({ maxEntries: 100, maxBytes: 1_000_000, ttlMs: 1000, ...bounds })

  describe(`responses in ${name}`, () => {
    test('are found by their ids, by their own tenant only', async () => {
      await using stage = await begin()
      const { storage } = stage
      await storage.put('a', aResponse('one', { text: 'said \u{1f600} \\u0000' }))
      expect(await storage.find('a', 'one')).toMatchObject({
        ...{ id: 'one', previousId: undefined, text: 'said \u{1f600} \\u0000', bytes: 100, nodes: 10 },
      })
      expect(await storage.find('b', 'one')).toBeUndefined()
      expect(await storage.find('a', 'two')).toBeUndefined()
    })

    test('are recalled with everything that they continue, the latest first', async () => {
      await using stage = await begin()
      const { storage } = stage
      await storage.put('a', aResponse('one'))
      await storage.put('a', aResponse('two', { previousId: 'one' }))
      await storage.put('a', aResponse('three', { previousId: 'two' }))
      await storage.put('b', aResponse('two', { text: 'of another' }))
      const recalled = await storage.recall('a', { ...all, id: 'three' })
      expect(recalled.conversation.map(({ id, text }) => [id, text])).toEqual([
        ['three', 'text of three'],
        ['two', 'text of two'],
        ['one', 'text of one'],
      ])
      expect(recalled.missing).toBeUndefined()
      expect((await storage.recall('b', { ...all, id: 'three' })).missing).toBe('three')
    })

    test('report which one is missing', async () => {
      await using stage = await begin()
      const { storage } = stage
      await storage.put('a', aResponse('two', { previousId: 'one' }))
      await storage.put('a', aResponse('three', { previousId: 'two' }))
      const recalled = await storage.recall('a', { ...all, id: 'three' })
      expect([recalled.conversation.length, recalled.missing]).toEqual([2, 'one'])
      expect((await storage.recall('a', all)).missing).toBeUndefined()
    })

    test('are recalled up to the first that exceeds the limit', async () => {
      await using stage = await begin()
      const { storage } = stage
      let previousId: string | undefined
      for (const id of ['one', 'two', 'three', 'four']) {
        await storage.put('a', aResponse(id, { previousId, itemIds: [`${id}-in`] }))
        previousId = id
      }
      for (const room of [
        { bytes: 250, nodes: 1000 },
        { bytes: 100_000, nodes: 25 },
      ]) {
        const itemIds = ['one-in', 'two-in', 'three-in', 'four-in']
        const { conversation, missing, holders } = await storage.recall('a', { id: 'four', itemIds, ...room })
        expect(conversation.map(({ id }) => id)).toEqual(['four', 'three', 'two'])
        expect([missing, holders.length]).toEqual([undefined, 3])
      }
    })

    test('are found by the items that they contain', async () => {
      await using stage = await begin()
      const { storage } = stage
      await storage.put('a', aResponse('one', { itemIds: ['i', 'j', 'i'] }))
      await storage.put('a', aResponse('two', { itemIds: ['k'] }))
      const holdersOf = async (tenant: string, ...itemIds: readonly string[]) =>
        (await storage.recall(tenant, { ...all, itemIds })).holders.map(({ id }) => id).toSorted()
      expect(await holdersOf('a', 'i', 'j')).toEqual(['one'])
      expect(await holdersOf('a', 'j', 'k', 'l', 'odd\0')).toEqual(['one', 'two'])
      expect(await holdersOf('b', 'i')).toEqual([])
      await storage.put('a', aResponse('one', { itemIds: ['j'] }))
      expect(await holdersOf('a', 'i')).toEqual([])
      await storage.remove('a', 'one')
      expect(await holdersOf('a', 'j')).toEqual([])
    })

    test('are no longer found once removed', async () => {
      await using stage = await begin()
      const { storage } = stage
      await storage.put('a', aResponse('one'))
      expect(await storage.remove('b', 'one')).toBe(false)
      expect(await storage.remove('a', 'one')).toBe(true)
      expect(await storage.remove('a', 'one')).toBe(false)
      expect(await storage.find('a', 'one')).toBeUndefined()
      expect(await storage.remove('a', 'odd\0')).toBe(false)
    })

    test('expire when unused', async () => {
      await using stage = await begin({ ttlMs: 1000 })
      const { storage, clock } = stage
      await storage.put('a', aResponse('one'))
      await storage.put('a', aResponse('two', { previousId: 'one', itemIds: ['i'] }))
      clock.at = 999
      await storage.recall('a', { ...all, id: 'two' })
      clock.at = 1998
      expect((await storage.recall('a', { ...all, id: 'two' })).conversation).toHaveLength(2)
      expect((await storage.recall('a', { ...all, itemIds: ['i'] })).holders).toHaveLength(1)
      clock.at = 2998
      expect((await storage.recall('a', { ...all, id: 'two', itemIds: ['i'] })).conversation).toHaveLength(0)
      expect(await storage.find('a', 'one')).toBeUndefined()
      expect(await storage.remove('a', 'two')).toBe(false)
    })

    test('are limited in number: the oldest of the tenant with the largest share is evicted', async () => {
      await using stage = await begin({ maxEntries: 3 })
      const { storage, clock } = stage
      await storage.put('little', aResponse('mine'))
      for (const id of ['a', 'b', 'c', 'd']) {
        clock.at++
        await storage.put('much', aResponse(id))
      }
      const there = await Promise.all(['a', 'b', 'c', 'd'].map((id) => storage.find('much', id)))
      expect(there.map((one) => one?.id)).toEqual([undefined, undefined, 'c', 'd'])
      expect(await storage.find('little', 'mine')).toBeDefined()
    })

    test('are limited in size: older ones are evicted, and one larger than the limit is not stored', async () => {
      await using stage = await begin({ maxBytes: 250 })
      const { storage, clock } = stage
      for (const id of ['a', 'b', 'c']) {
        clock.at++
        await storage.put('t', aResponse(id))
      }
      await storage.put('t', aResponse('huge', { bytes: 251 }))
      const there = await Promise.all(['a', 'b', 'c', 'huge'].map((id) => storage.find('t', id)))
      expect(there.map((one) => one?.id)).toEqual([undefined, 'b', 'c', undefined])
    })
  })
}

const all = { id: undefined, itemIds: [], bytes: 1_000_000, nodes: 1_000_000 }

function aResponse(id: string, change: Partial<PackedResponse> = {}): PackedResponse {
  return { id, previousId: undefined, text: `text of ${id}`, itemIds: [], bytes: 100, nodes: 10, ...change }
}
