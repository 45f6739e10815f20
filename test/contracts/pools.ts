import { describe, expect, test } from 'vitest'
import type { Allotment, PlacesWanted, SharedState } from '../../src/core/model/shared/state.ts'
import type { Subject } from './state.ts'

/** Runs the suite of a shared state's pools of places. */
export function describePools({ name, open }: Subject): void {
  describe(`pools of places in ${name}`, () => {
    test('a process gets what it needs, and while no other waits, spare places up to half of the free ones', async () => {
      await using stage = await open()
      const ask = asking(stage.state)
      expect(await ask('a', { needed: 2, wanted: 4 })).toEqual(has(4))
      expect(await ask('b', { needed: 1, wanted: 100 })).toEqual(has(3))
      expect(await ask('c', { needed: 1, wanted: 100 })).toEqual(has(2))
      expect(await ask('d', { needed: 1 })).toEqual(has(1))
      expect(await ask('e', { needed: 1 })).toEqual(has(0))
    })

    test('returned places go round-robin to waiting processes only', async () => {
      await using stage = await open()
      const ask = asking(stage.state)
      await ask('a', { needed: 10 })
      expect(await ask('b', { needed: 2 })).toEqual(has(0))
      expect(await ask('c', { needed: 2 })).toEqual(has(0, { isAwaited: true }))
      expect(await ask('a', { used: 7, returned: 3, needed: 7 })).toEqual(
        has(7, { isAwaited: true, given: ['b', 'c'] }),
      )
      expect(await ask('b', { needed: 2 })).toEqual(has(2, { isAwaited: true }))
      expect(await ask('c', { needed: 2 })).toEqual(has(1))
      expect(await ask('a', { used: 6, returned: 1, needed: 20 })).toEqual(has(6, { given: ['c'] }))
      expect(await ask('b', { used: 1, returned: 1, needed: 1 })).toEqual(
        has(1, { isAwaited: true, given: ['a'] }),
      )
    })

    test('a process does not return a place that it does not know of yet', async () => {
      await using stage = await open()
      const ask = asking(stage.state)
      await ask('a', { needed: 10 })
      await ask('b', { needed: 1 })
      await ask('a', { used: 9, returned: 1, needed: 9 })
      expect(await ask('b', { needed: 0 })).toEqual(has(1))
      expect(await ask('b', { returned: 1, needed: 0 })).toEqual(has(0))
    })

    test('a process that needs no more stops waiting', async () => {
      await using stage = await open()
      const ask = asking(stage.state)
      await ask('a', { needed: 10 })
      await ask('b', { needed: 1 })
      await ask('b', { needed: 0 })
      expect(await ask('a', { used: 9, returned: 1, needed: 9 })).toEqual(has(9))
    })

    test('used places count even above a lowered limit, and none is given until there is room', async () => {
      await using stage = await open()
      const ask = asking(stage.state)
      await ask('a', { needed: 8 })
      expect(await ask('a', { used: 8, needed: 8, limit: 4 })).toEqual(has(8))
      expect(await ask('b', { needed: 1, limit: 4 })).toEqual(has(0))
      expect(await ask('a', { used: 4, returned: 4, needed: 4, limit: 4 })).toMatchObject({ given: [] })
      expect(await ask('a', { used: 3, returned: 1, needed: 3, limit: 4 })).toMatchObject({ given: ['b'] })
    })

    test('pools are independent', async () => {
      await using stage = await open()
      const ask = asking(stage.state)
      await ask('a', { needed: 10 })
      expect(await ask('b', { needed: 10, pool: 'other' })).toEqual(has(10))
    })

    test('the places of an abandoned process are free, and it stops waiting', async () => {
      await using stage = await open()
      const { state } = stage
      const ask = asking(state)
      await ask('a', { needed: 10 })
      await ask('b', { needed: 5 })
      await ask('c', { needed: 5 })
      await state.abandon('b')
      await state.abandon('a')
      expect(await ask('c', { needed: 5 })).toEqual(has(5))
      expect(await ask('d', { needed: 5 })).toEqual(has(5))
    })
  })
}

type Asked = Partial<Omit<PlacesWanted, 'owner'>> & Pick<PlacesWanted, 'needed'>

function asking(state: SharedState): (owner: string, asked: Asked) => Promise<Allotment> {
  return (owner, asked) =>
    state.allot({ pool: 'provider', limit: 10, used: 0, returned: 0, wanted: asked.needed, ...asked, owner })
}

function has(places: number, change: Partial<Allotment> = {}): Allotment {
  return { places, isAwaited: false, given: [], ...change }
}
