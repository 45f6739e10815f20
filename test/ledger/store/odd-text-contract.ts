import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { CallSaid } from '../lines.ts'
import { setUp, type TestDatabase } from './scene.ts'

/** The contract of every store about text that databases do not take as it is. */
export function oddTextContract(make: () => Promise<TestDatabase>): void {
  describe('odd text', () => {
    // Postgres compresses what repeats.
    const long = Array.from({ length: 60 }, (_, at) => hash('sha256', `${at}`)).join('')

    test.for<[what: string, said: CallSaid]>([
      ['a NUL', { model: 'a\0b', key: 'k\0', team: 't\0', tags: ['x\0y'], provider: 'p\0' }],
      ['half a surrogate pair', { model: 'a\ud800', key: '\udc00k', team: 't\ud83d', tags: ['\ud800'] }],
      ['long names', { model: long, key: long, team: long, provider: long, deployment: long, tags: [long] }],
      ['long names of wide characters', { model: 'é'.repeat(2000), team: '語'.repeat(2000) }],
    ])('a call with %s is stored, counted, and found by its names', async ([, said]) => {
      await using scene = await setUp(make)
      await scene.write([
        ['req_1', said],
        ['req_2', { at: 1 }],
      ])
      const { tags, ...named } = said
      expect(await scene.ids({ filters: {}, limit: 10 })).toEqual(['req_2', 'req_1'])
      const filters = [...Object.entries(named), ...(tags === undefined ? [] : [['tags', tags]])]
      for (const [name, value] of filters) {
        expect(await scene.ids({ filters: { [String(name)]: value }, limit: 10 })).toEqual(['req_1'])
      }
      for (const [name, value] of Object.entries(named)) {
        expect(await scene.sums({ filters: { [name]: String(value) } })).toMatchObject([{ requests: 1 }])
      }
      expect(await scene.sums({ by: ['model', 'team', 'tags'] })).toHaveLength(2)
    })

    test('names that differ only in what is replaced are counted together', async () => {
      await using scene = await setUp(make)
      await scene.write([
        ['req_1', { model: 'a\ud800' }],
        ['req_2', { model: 'a\ud801' }],
      ])
      expect(await scene.sums({ by: ['model'] })).toMatchObject([{ names: ['a\ufffd'], requests: 2 }])
    })

    test('long names with the same beginning stay different', async () => {
      await using scene = await setUp(make)
      await scene.write([
        ['req_1', { model: `${long}1` }],
        ['req_2', { model: `${long}2` }],
      ])
      expect(await scene.sums({ by: ['model'] })).toHaveLength(2)
      expect(await scene.ids({ filters: { model: `${long}2` }, limit: 10 })).toEqual(['req_2'])
    })

    test('a change of a team with a NUL in its name is stored', async () => {
      await using scene = await setUp(make)
      const subject = { kind: 'team', id: 'a\0b' }
      const change = { actor: 'x', action: 'team.create', subject, before: null, after: { id: 'a\0b' } }
      await scene.writeEntries([{ type: 'admin', id: 'evt_1', at: 1, ...change }])
      expect(await scene.store.position('n')).toEqual({ segment: 1, offset: 1 })
    })
  })
}
