import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { openStore, type StoreAddress } from '../../src/ledger/store/all.ts'
import { createPartitions } from '../../src/ledger/store/postgres/partitions.ts'
import type { Store } from '../../src/ledger/store/store.ts'
import { startTestGateway, type TestGateway } from '../../test/harness/gateway.ts'
import { startPostgres } from '../../test/ledger/postgres-server.ts'
import { fill, type Repeating } from './fill.ts'
import { serverOf, serverProcessorMs } from './server-time.ts'

/** A ledger of made calls, filled unless it was there. */
export interface BenchLedger extends AsyncDisposable {
  openStore(): Store
  /** A gateway over it, without keys. */
  startGateway(): Promise<TestGateway>
  bytes(): Promise<number>
  /** The processor time in milliseconds that a database outside this process has taken so far. */
  processorMs(): number
}

/**
 * `place`: `postgres` for a server of its own, the address of an empty or filled database, or a directory. The last two
 * are kept. Undefined: a temporary directory.
 */
export async function openLedger(place: string | undefined, count: number): Promise<BenchLedger> {
  if (place?.startsWith('postgres://')) return await inDatabase(place, count)
  return place === 'postgres' ? await inPostgres(count) : await inFile(place, count)
}

async function inFile(place: string | undefined, count: number): Promise<BenchLedger> {
  const directory = place ?? mkdtempSync(join(tmpdir(), 'bench-ledger-'))
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, 'ledger.db')
  if (!existsSync(path)) {
    demandSpace(directory, count)
    await make({ path }, count, {
      newId: (at) => `'req_' || printf('%012x', ${at}) || substr(id, 17)`,
      async ask(statements) {
        const database = new DatabaseSync(path)
        // What is lost in a crash is made again.
        database.exec('pragma journal_mode = off; pragma synchronous = off')
        const rows = statements.flatMap((text) => database.prepare(text).all())
        database.close()
        return rows
      },
      demandDays: async () => undefined,
      ownColumns: [],
    })
  }
  return {
    openStore: () => openStore({ path }),
    startGateway: () => startGateway(directory, {}),
    bytes: async () => statSync(path).size,
    processorMs: () => 0,
    async [Symbol.asyncDispose]() {
      if (place === undefined) rmSync(directory, { recursive: true })
    },
  }
}

async function inPostgres(count: number): Promise<BenchLedger> {
  demandSpace(tmpdir(), count)
  const server = await startPostgres()
  const ledger = await inDatabase(await server.createDatabase(), count)
  return {
    ...ledger,
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function inDatabase(databaseUrl: string, count: number): Promise<BenchLedger> {
  const within = async <Result>(work: (client: Client) => Promise<Result>) => {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const result = await work(client)
    await client.end()
    return result
  }
  const ask: Repeating['ask'] = (statements) =>
    within(async (client) => {
      const rows: object[] = []
      for (const text of statements) rows.push(...(await client.query<object>(text)).rows)
      return rows
    })
  const filled = await ask([`select 1 from pg_class where relname = 'calls'`])
  if (filled.length === 0) {
    await make({ databaseUrl }, count, {
      ask,
      newId: (at) => `'req_' || lpad(to_hex(${at}), 12, '0') || substr(id, 17)`,
      demandDays: (calls) => within((client) => createPartitions(client).make(calls)),
      ownColumns: ['cost', 'total_ms'],
    })
    await ask(['vacuum analyze'])
  }
  const server = await within(async (client) => {
    const { rows } = await client.query<{ backend: number }>('select pg_backend_pid() as backend')
    return serverOf(rows[0]?.backend ?? 0)
  })
  const directory = mkdtempSync(join(tmpdir(), 'bench-ledger-'))
  return {
    openStore: () => openStore({ databaseUrl }),
    startGateway: () => startGateway(directory, { databaseUrl }),
    async bytes() {
      const [row] = await ask(['select pg_database_size(current_database()) as bytes'])
      return Number(row && 'bytes' in row ? row.bytes : 0)
    },
    processorMs: () => (server === undefined ? 0 : serverProcessorMs(server)),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true })
    },
  }
}

/** Without the indexes of calls until all are there: that takes a third of the time. */
async function make(address: StoreAddress, count: number, repeating: Repeating): Promise<void> {
  const began = performance.now()
  const { ask } = repeating
  {
    await using store = openStore(address)
    await store.migrate()
  }
  const indexes = (await ask([
    'path' in address
      ? `select name, sql from sqlite_schema where type = 'index' and tbl_name = 'calls' and name <> 'calls_by_id'`
      : `select indexname as name, indexdef as sql from pg_indexes where tablename = 'calls' and indexname <> 'calls_pkey'`,
  ])) as readonly { readonly name: string; readonly sql: string }[]
  await ask(indexes.map(({ name }) => `drop index ${name}`))
  await fill(() => openStore(address), count, repeating)
  await ask(indexes.map(({ sql }) => sql.replace(' ON ONLY ', ' ON ')))
  console.log(`made ${count} calls in ${((performance.now() - began) / 60_000).toFixed(1)} minutes`)
}

const bytesOfCall = 2500

function demandSpace(directory: string, count: number): void {
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < count * bytesOfCall)
    throw new Error(`There is no room for ${count} calls in ${directory}.`)
}

async function startGateway(
  directory: string,
  address: { readonly databaseUrl?: string },
): Promise<TestGateway> {
  return await startTestGateway({
    ledger: { ...settings, ...address, enabled: true },
    dataDirectory: directory,
    isDataDirectoryGiven: true,
  })
}

const settings = {
  durability: 'process',
  spoolBytes: 67_108_864,
  keepCallsDays: 3650,
  keepRollupsDays: 3650,
} as const
