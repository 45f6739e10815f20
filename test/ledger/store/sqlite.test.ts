import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqliteMigrations } from '../../../src/ledger/store/sqlite/migrations.ts'
import { openSqliteStore } from '../../../src/ledger/store/sqlite/sqlite-store.ts'
import { makeDirectory } from '../directory.ts'
import { storeContract } from './store-contract.ts'
import { summariesContract } from './summaries-contract.ts'

storeContract('SQLite', async () => {
  const directory = await makeDirectory()
  return { ...directory, open: () => openSqliteStore(join(directory.path, 'ledger.db')) }
})

summariesContract('SQLite', async () => {
  const directory = await makeDirectory()
  const path = join(directory.path, 'ledger.db')
  return {
    ...directory,
    open: () => openSqliteStore(path),
    async run(text) {
      const database = new DatabaseSync(path)
      database.exec(text)
      database.close()
    },
  }
})

test('sums of a version without failure kinds are kept', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'ledger.db')
  const before = new DatabaseSync(path)
  before.exec('create table migrations (name text primary key, at integer not null) strict')
  before.exec(sqliteMigrations[0]?.text ?? '')
  before.exec(`insert into migrations (name, at) values ('001 calls and rollups', 0)`)
  before.exec(`insert into rollups_hour (at, "key", team, model, provider, deployment, tags, requests, cost)
    values (0, 'k', '', 'm', 'p', 'm@p', '', 3, 70)`)
  before.close()
  await using store = openSqliteStore(path)
  expect(await store.migrate()).toEqual([
    '002 rollups by failure',
    '003 responses',
    '004 summaries of rollups',
  ])
  const question = { from: 0, to: 1, filters: {}, withHistograms: false, limit: 10 }
  const [row] = await store.usage({ ...question, by: ['model', 'failure'] })
  expect(row).toMatchObject({ names: ['m', ''], sums: [3, 0, 0, 0, 0, 0, 70, 0, 0, 0] })
})
