import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openResponseTable, openStore, type StoreAddress } from '../../../src/ledger/store/all.ts'
import { openPostgresTable } from '../../../src/ledger/store/postgres/postgres-table.ts'
import {
  createResponseTable,
  type ResponseTable,
  type TableBounds,
} from '../../../src/ledger/store/responses.ts'
import { openSqliteTable } from '../../../src/ledger/store/sqlite/sqlite-table.ts'
import { describeResponseStorage } from '../../contracts/response-storage.ts'
import { makeDirectory } from '../directory.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../postgres-server.ts'

describeResponseStorage({
  name: 'SQLite',
  async open(bounds) {
    const directory = await makeDirectory()
    const path = join(directory.path, 'ledger.db')
    return await stageOf({ path }, bounds, async () => await directory[Symbol.asyncDispose]())
  },
})

describe.skipIf(noPostgres !== undefined)(
  `over Postgres${noPostgres === undefined ? '' : ` (skipped: ${noPostgres})`}`,
  () => {
    let server: PostgresServer

    beforeAll(async () => {
      server = await startPostgres()
    })

    afterAll(async () => {
      await server[Symbol.asyncDispose]()
    })

    describeResponseStorage({
      name: 'Postgres',
      open: async (bounds) => await stageOf({ databaseUrl: await server.createDatabase() }, bounds),
    })

    test('several processes share the responses', async () => {
      const address = { databaseUrl: await server.createDatabase() }
      const bounds = { maxEntries: 3, maxBytes: 1_000_000, ttlMs: 60_000 }
      await migrated(address)
      await using here = openResponseTable(address, bounds)
      await using there = openResponseTable(address, bounds)
      const response = { previousId: undefined, text: '', itemIds: ['i'], bytes: 1, nodes: 1 }
      await Promise.all([here.put('t', { id: 'a', ...response }), there.put('t', { id: 'b', ...response })])
      expect([await there.find('t', 'a'), await here.find('t', 'b')]).toMatchObject([
        { id: 'a' },
        { id: 'b' },
      ])
      expect(await there.remove('t', 'a')).toBe(true)
      expect(await here.find('t', 'a')).toBeUndefined()
    })
  },
)

async function migrated(address: StoreAddress): Promise<void> {
  await using store = openStore(address)
  await store.migrate()
}

async function stageOf(address: StoreAddress, bounds: TableBounds, close = async () => {}) {
  await migrated(address)
  const clock = { at: 0 }
  const connection =
    'path' in address ? openSqliteTable(address.path) : openPostgresTable(address.databaseUrl)
  const table = createResponseTable(connection, bounds, () => clock.at)
  return {
    storage: oneByOne(table),
    clock,
    async [Symbol.asyncDispose]() {
      await table[Symbol.asyncDispose]()
      await close()
    },
  }
}

/** Like the thread. */
function oneByOne(table: ResponseTable): ResponseTable {
  let before: Promise<unknown> = Promise.resolve()
  const inTurn = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    const asking = before.then(ask)
    before = asking.catch(() => undefined)
    return asking
  }
  return {
    put: (tenant, response) => inTurn(() => table.put(tenant, response)),
    find: (tenant, id) => inTurn(() => table.find(tenant, id)),
    recall: (tenant, wanted) => inTurn(() => table.recall(tenant, wanted)),
    remove: (tenant, id) => inTurn(() => table.remove(tenant, id)),
    [Symbol.asyncDispose]: () => table[Symbol.asyncDispose](),
  }
}
