import { Client } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { decodeLine } from '../../../src/core/model/record/line-writer.ts'
import { batchOf } from '../../../src/ledger/store/batch.ts'
import type { CallFilters } from '../../../src/ledger/store/call-filters.ts'
import { postgresMigrations } from '../../../src/ledger/store/postgres/migrations.ts'
import { openPostgresStore } from '../../../src/ledger/store/postgres/postgres-store.ts'
import { counts } from '../../../src/ledger/store/rollup.ts'
import { callEntry } from '../lines.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../postgres-server.ts'
import { storeContract } from './store-contract.ts'
import { summariesContract } from './summaries-contract.ts'

let server: PostgresServer | undefined

beforeAll(async () => {
  if (noPostgres === undefined) server = await startPostgres()
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

storeContract(
  'Postgres',
  async () => {
    const url = (await server?.createDatabase()) ?? ''
    return { open: () => openPostgresStore(url), async [Symbol.asyncDispose]() {} }
  },
  noPostgres,
)

summariesContract(
  'Postgres',
  async () => {
    const url = (await server?.createDatabase()) ?? ''
    return {
      open: () => openPostgresStore(url),
      async run(text) {
        const client = new Client({ connectionString: url })
        await client.connect()
        await client.query(text)
        await client.end()
      },
      async [Symbol.asyncDispose]() {},
    }
  },
  noPostgres,
)

test.skipIf(noPostgres)(
  'several processes create the schema, the partitions and the sums concurrently',
  async () => {
    const url = (await server?.createDatabase()) ?? ''
    const stores = Array.from({ length: 6 }, () => openPostgresStore(url))
    const made = await Promise.all(stores.map((store) => store.migrate()))
    expect(made.flat()).toHaveLength(postgresMigrations.length)
    const to = { segment: 1, offset: 1 }
    await Promise.all(
      stores.map(async (store, node) => {
        for (let batch = 0; batch < 5; batch++) {
          const lines = [0, 1, 2].map((call) => {
            const { at, line } = callEntry(`req_${node}_${batch}_${call}`, {
              at: call * 86_400_000,
              key: `k${call}`,
            })
            return { text: `{"type":"call","at":${at},${decodeLine(line)}}`, end: to }
          })
          await store.write(`node_${node}`, batchOf(lines, to))
        }
      }),
    )
    const [store] = stores
    const sums = await store?.usage({
      from: 0,
      to: 86_400_000 * 3,
      by: ['key'],
      filters: {},
      withHistograms: true,
      limit: 10,
    })
    expect(sums?.map(({ sums: [requests] }) => requests)).toEqual([30, 30, 30])
    expect((await store?.calls({ filters: {}, limit: 1000 }))?.calls).toHaveLength(90)
    for (const each of stores) await each[Symbol.asyncDispose]()
  },
)

test.skipIf(noPostgres)('calls that an older version writes are found as others are', async () => {
  const url = (await server?.createDatabase()) ?? ''
  await using store = openPostgresStore(url)
  await store.migrate()
  const to = { segment: 1, offset: 1 }
  const lines = [
    ['a', { at: 1, costNanoUsd: 5000, totalMs: 10 }],
    ['b', { at: 2, costNanoUsd: null, totalMs: 30 }],
  ] as const
  const calls = lines.map(([id, said]) => {
    const { at, line } = callEntry(id, said)
    return { text: `{"type":"call","at":${at},${decodeLine(line)}}`, end: to }
  })
  await store.write('n', batchOf(calls, to))
  const client = new Client({ connectionString: url })
  await client.connect()
  // As before there were columns for searches.
  await client.query(`insert into calls (id, at, "key", team, model, status, line)
    select 'old ' || id, at, "key", team, model, status, line from calls`)
  await client.end()
  const idsOf = async (filters: CallFilters) =>
    (await store.calls({ filters, limit: 10 })).calls.map(({ call }) => call.requestId)
  expect(await idsOf({ leastNanoUsd: 1 })).toEqual(['a', 'a'])
  expect(await idsOf({ leastMs: 20 })).toEqual(['b', 'b'])
  expect(await idsOf({ mostMs: 20, mostNanoUsd: 6000 })).toEqual(['a', 'a'])
})

test.skipIf(noPostgres)(
  'a store whose database is unreachable rejects, and a new one works once it is back',
  async () => {
    await using own = await startPostgres()
    const url = await own.createDatabase()
    const store = openPostgresStore(url)
    await store.migrate()
    const to = { segment: 1, offset: 1 }
    const { line } = callEntry('a')
    const batch = batchOf([{ text: `{"type":"call","at":0,${decodeLine(line)}}`, end: to }], to)
    await store.write('n', batch)
    await own.kill()
    await expect(store.write('n', batch)).rejects.toThrow()
    await expect(openPostgresStore(url).migrate()).rejects.toThrow()
    await store[Symbol.asyncDispose]()
    await own.start()
    await using again = openPostgresStore(url)
    expect(await again.position('n')).toEqual(to)
    expect((await again.calls({ filters: {}, limit: 10 })).calls).toHaveLength(1)
  },
)

test.skipIf(noPostgres)(
  'one of several settlements of a call counts, in its row and in the sums',
  async () => {
    const url = (await server?.createDatabase()) ?? ''
    const stores = Array.from({ length: 4 }, () => openPostgresStore(url))
    const [first] = stores as [(typeof stores)[0], ...typeof stores]
    await first.migrate()
    const to = { segment: 1, offset: 1 }
    const { at, line } = callEntry('a', { costNanoUsd: 1000, uncertainNanoUsd: 7 })
    await first.write(
      'node',
      batchOf([{ text: `{"type":"call","at":${at},${decodeLine(line)}}`, end: to }], to),
    )
    await Promise.all(
      stores.map(async (store, node) => {
        const entry = {
          type: 'resolve',
          id: 'a',
          at: 9,
          actor: 'operator',
          nanoUsd: 2000 + node,
          reason: 'r',
        }
        await store.write(`node_${node}`, batchOf([{ text: JSON.stringify(entry), end: to }], to))
      }),
    )
    const settled = (await first.call('a'))?.settled?.nanoUsd
    const question = { from: 0, to: 9e15, by: [], filters: {}, withHistograms: false, limit: 1 }
    const [sums] = await first.usage(question)
    expect(sums?.sums[counts.indexOf('cost')]).toBe(settled)
    for (const store of stores) await store[Symbol.asyncDispose]()
  },
)

test.skipIf(noPostgres)(
  'nobody waits for the migrations of another on a schema that is up to date',
  async () => {
    const url = (await server?.createDatabase()) ?? ''
    await using first = openPostgresStore(url)
    await first.migrate()
    const other = new Client({ connectionString: url })
    await other.connect()
    await other.query('select pg_advisory_lock(7264001)')
    await using second = openPostgresStore(url)
    expect(await second.migrate()).toEqual([])
    await other.end()
  },
)

test.skipIf(noPostgres)('a node whose clock is years ahead deletes nothing that is not old', async () => {
  const url = (await server?.createDatabase()) ?? ''
  await using store = openPostgresStore(url)
  await store.migrate()
  const to = { segment: 1, offset: 1 }
  const { at, line } = callEntry('req_1', { at: Date.now() })
  await store.write('n', batchOf([{ text: `{"type":"call","at":${at},${decodeLine(line)}}`, end: to }], to))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1000 * 86_400_000 })
  try {
    const days = (count: number) => Date.now() - count * 86_400_000
    await store.prune({ calls: days(90), rollups: days(731) })
  } finally {
    vi.useRealTimers()
  }
  expect((await store.calls({ filters: {}, limit: 10 })).calls).toHaveLength(1)
})
