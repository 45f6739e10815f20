import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openJournal } from '../../../src/ledger/journal/file-journal.ts'
import type { ShipperNews } from '../../../src/ledger/ship/messages.ts'
import { createShipping } from '../../../src/ledger/ship/shipping.ts'
import type { Batch } from '../../../src/ledger/store/batch.ts'
import { openSqliteStore } from '../../../src/ledger/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/ledger/store/store.ts'
import { makeDirectory } from '../directory.ts'
import { callEntry } from '../lines.ts'

test('ships existing and new calls, each once, over restarts', async () => {
  await using scene = await setUp()
  await scene.append(['a', 'b'])
  const first = scene.start()
  await expect.poll(() => scene.ids()).toEqual(['b', 'a'])
  await scene.append(['c'])
  await first.finish()
  expect(await scene.ids()).toEqual(['c', 'b', 'a'])
  await scene.append(['d'])
  await scene.start().finish()
  expect(await scene.ids()).toEqual(['d', 'c', 'b', 'a'])
  expect(await scene.requests()).toBe(4)
})

test('a refused batch is shipped once the store accepts it', async () => {
  await using scene = await setUp()
  await scene.append(['a'])
  scene.break()
  const shipping = scene.start()
  await expect.poll(() => scene.news.filter(({ what }) => what === 'failed').length).toBeGreaterThan(1)
  expect(await scene.ids()).toEqual([])
  scene.mend()
  await expect.poll(() => scene.ids()).toEqual(['a'])
  await shipping.finish()
  expect(await scene.requests()).toBe(1)
})

test('finishing does not wait for an unavailable store', async () => {
  await using scene = await setUp()
  await scene.append(['a'])
  scene.break()
  await scene.start().finish()
  scene.mend()
  await scene.start().finish()
  expect(await scene.requests()).toBe(1)
})

test('a batch that was stored without a reply is not stored again', async () => {
  await using scene = await setUp()
  await scene.append(['a', 'b'])
  scene.breakAfterCommit()
  const shipping = scene.start()
  await expect.poll(() => scene.news.some(({ what }) => what === 'failed')).toBe(true)
  await shipping.finish()
  await scene.start().finish()
  expect(await scene.requests()).toBe(2)
})

test('a store that has calls of a journal, but not its position, takes only the others', async () => {
  await using scene = await setUp()
  await scene.append(['a', 'b'])
  await scene.start().finish()
  await scene.append(['c', 'd'])
  await scene.start('n with another name').finish()
  await scene.start('n with another name').finish()
  expect(await scene.ids()).toEqual(['d', 'c', 'b', 'a'])
  expect(await scene.requests()).toBe(4)
})

test('makes summaries of the shipped calls, and still finishes when ordered to', async () => {
  await using scene = await setUp()
  await scene.append(['a'])
  const shipping = scene.start()
  await expect.poll(() => scene.isSummed()).toBe(true)
  await shipping.finish()
  expect(await scene.requests()).toBe(1)
})

test.for([true, false])('open holds go to the store only if nodes share it: %s', async (isShared) => {
  await using scene = await setUp(isShared)
  await scene.hold('a')
  await scene.append(['b'])
  await scene.start().finish()
  expect(await scene.ids()).toEqual(['b'])
  expect(scene.batches.flatMap(({ holds }) => [...holds.open.keys()])).toEqual(isShared ? ['a'] : [])
})

async function setUp(isShared = false) {
  const directory = await makeDirectory()
  const journal = await openJournal({
    ...{ directory: directory.path, durability: 'process', segmentBytes: 1_000_000, spoolBytes: 1_000_000 },
    ...{ reserveBytes: 4096, projections: [], report: () => undefined },
  })
  const path = `${directory.path}/ledger.db`
  const read = openSqliteStore(path)
  await read.migrate()
  const news: ShipperNews[] = []
  const batches: Batch[] = []
  let fault: 'none' | 'refuses' | 'hangs up' = 'none'
  const openStore = (): Store => {
    const store = openSqliteStore(path)
    const write: Store['write'] = async (node, batch) => {
      batches.push(batch)
      if (fault === 'refuses') throw new Error('The store is unavailable.')
      await store.write(node, batch)
      if (fault !== 'hangs up') return
      fault = 'none'
      throw new Error('The connection was lost.')
    }
    return new Proxy(store, {
      get(target, name) {
        if (name === 'write') return write
        if (name === 'isShared') return isShared
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  let at = 0
  return {
    news,
    batches,
    async hold(id: string) {
      const parts = [{ counter: 'gateway/month|2026-11', nanoUsd: 5 }]
      journal.append({ type: 'hold', id, at: ++at, owner: 'o', until: 100, parts })
      await journal.written()
    },
    async append(ids: readonly string[]) {
      for (const id of ids) journal.append(callEntry(id, { at: ++at }))
      await journal.written()
    },
    start(node = 'n') {
      const data = {
        journalDirectory: directory.path,
        node,
        keepCallsDays: 36_500,
        keepRollupsDays: 36_500,
      }
      const shipping = createShipping({ data, openStore, tell: (one) => news.push(one) })
      const ended = shipping.run()
      return {
        finish() {
          shipping.finish()
          return ended
        },
      }
    },
    break() {
      fault = 'refuses'
    },
    mend() {
      fault = 'none'
    },
    breakAfterCommit() {
      fault = 'hangs up'
    },
    isSummed() {
      const database = new DatabaseSync(path)
      const [row] = database
        .prepare("select count(*) as days from rollups_one_day where dimension = ''")
        .all()
      database.close()
      return row?.['days'] === 1
    },
    ids: async () => (await read.calls({ filters: {}, limit: 100 })).calls.map(({ call }) => call.requestId),
    async requests() {
      const [sums] = await read.usage({
        from: 0,
        to: 1000,
        by: [],
        filters: {},
        withHistograms: false,
        limit: 1,
      })
      return sums?.sums[0]
    },
    async [Symbol.asyncDispose]() {
      await read[Symbol.asyncDispose]()
      await journal[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}
