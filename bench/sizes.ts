import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { GatewayProcess } from '../test/acceptance/gateway-process.ts'
import { startBillingUpstream } from '../test/chaos/upstream/billing-upstream.ts'
import { noRedis, type RedisServer, startRedis } from '../test/harness/redis-server.ts'
import { noPostgres, startPostgres } from '../test/ledger/postgres-server.ts'
import { tellMemory } from './open-streams.ts'
import { boundKey, plainKey, startBoundedGateway } from './setup/bounded-gateway.ts'

/**
 * The memory of a gateway, at rest and with open streams, and what a call takes of each engine: bytes of the journal and
 * of SQLite, rows and bytes of Postgres, commands and bytes of Redis. Small JSON calls of one key with two budgets and
 * three limits; and, for Redis, of a key without. `npm run bench:sizes`
 */
async function main(): Promise<number> {
  const missing = noRedis ?? noPostgres
  if (missing !== undefined) {
    console.error(missing)
    return 1
  }
  const root = mkdtempSync(join(tmpdir(), 'sizes-'))
  await using upstream = await startBillingUpstream()
  const open = (name: string, environment: Readonly<Record<string, string>> = {}) =>
    startBoundedGateway(upstream.baseUrl, join(root, name), environment)
  await tellMemory()
  await tellFiles(join(root, 'files'), () => open('files'))
  await using postgres = await startPostgres()
  await tellPostgres(await postgres.createDatabase(), (url) => open('postgres', { DATABASE_URL: url }))
  await using redis = await startRedis()
  await tellRedis(redis, () => open('redis', { REDIS_URL: redis.url }))
  rmSync(root, { recursive: true, force: true })
  return 0
}

const calls = 5000
const segmentCalls = 500

/** From the end of one run to the end of the next: a new file has room of its own. */
async function tellFiles(directory: string, open: () => Promise<GatewayProcess>): Promise<void> {
  const run = async () => {
    const gateway = await open()
    // A new segment begins with each start: it has all of them until it is full.
    const before = journalBytes(directory)
    await ask(gateway, boundKey, segmentCalls, 16)
    const journal = (journalBytes(directory) - before) / segmentCalls
    await ask(gateway, boundKey, calls - segmentCalls, 16)
    await shipped(gateway)
    await gateway[Symbol.asyncDispose]()
    return { journal, store: statSync(join(directory, 'ledger.db')).size }
  }
  const first = await run()
  const second = await run()
  tell('journal', [[second.journal, 'bytes a call, until the store has it']])
  tell('SQLite', [[(second.store - first.store) / calls, 'bytes a call']])
}

/** Of the newest segment. */
function journalBytes(directory: string): number {
  const journal = join(directory, 'journal')
  const newest = readdirSync(journal)
    .filter((name) => name.endsWith('.journal'))
    .toSorted()
    .at(-1)
  return newest === undefined ? 0 : statSync(join(journal, newest)).size
}

async function tellPostgres(url: string, open: (url: string) => Promise<GatewayProcess>): Promise<void> {
  await using gateway = await open(url)
  const client = new Client({ connectionString: url })
  await client.connect()
  const read = async () => {
    await client.query('analyze')
    const { rows } = await client.query<{ rows: string; bytes: string }>(
      'select coalesce(sum(n_live_tup), 0) as rows, (select pg_database_size(current_database())) as bytes from pg_stat_user_tables',
    )
    return { rows: Number(rows[0]?.rows), bytes: Number(rows[0]?.bytes) }
  }
  await ask(gateway, boundKey, calls, 16)
  await shipped(gateway)
  const before = await read()
  await ask(gateway, boundKey, calls, 16)
  await shipped(gateway)
  const after = await read()
  await client.end()
  tell('Postgres', [
    [(after.rows - before.rows) / calls, 'rows a call'],
    [(after.bytes - before.bytes) / calls, 'bytes a call'],
  ])
}

async function tellRedis(redis: RedisServer, open: () => Promise<GatewayProcess>): Promise<void> {
  await using gateway = await open()
  for (const [name, key] of [
    ['with bounds', boundKey],
    ['without bounds', plainKey],
  ] as const) {
    for (const atOnce of [1, 16]) {
      await ask(gateway, key, calls, atOnce)
      const before = await statsOf(redis)
      await ask(gateway, key, calls, atOnce)
      const after = await statsOf(redis)
      const [commands = 0, received = 0, sent = 0, memory = 0, micros = 0] = after.map(
        (value, at) => (value - (before[at] ?? 0)) / calls,
      )
      tell(`Redis, a key ${name}, ${atOnce} at once`, [
        [commands, 'commands'],
        [received, 'bytes to it'],
        [sent, 'bytes from it'],
        [micros, 'µs of its processor'],
        [memory, 'bytes that stay'],
      ])
    }
  }
}

/** Of the clients' commands: those that scripts call are counted by Redis, too. */
async function statsOf(redis: RedisServer): Promise<readonly number[]> {
  const text = String(await redis.command('INFO', 'everything'))
  const of = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1])
  const evaluated = /^cmdstat_evalsha:calls=(\d+)/m.exec(text)?.[1]
  const processor = of('used_cpu_user') + of('used_cpu_sys')
  return [
    Number(evaluated),
    of('total_net_input_bytes'),
    of('total_net_output_bytes'),
    of('used_memory'),
    processor * 1e6,
  ]
}

async function shipped({ url }: GatewayProcess): Promise<void> {
  while (true) {
    const health = (await (await fetch(`${url}/health`)).json()) as { ledger: { behind_bytes: number } }
    if (health.ledger.behind_bytes === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function ask({ url }: GatewayProcess, key: string, count: number, atOnce: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  let left = count
  const caller = async () => {
    while (left-- > 0) await askOnce(url, key, agent)
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  agent.destroy()
}

function askOnce(url: string, key: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent }, (answer) => {
      answer.resume()
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`)),
      )
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ model: 'm', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }))
  })
}

function tell(name: string, figures: readonly (readonly [number, string])[]): void {
  const said = figures.map(([value, unit]) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`)
  console.log(`${name.padEnd(40)} ${said.join(', ')}`)
}

process.exitCode = await main()
