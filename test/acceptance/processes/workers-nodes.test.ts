import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminKey, askFleet, callFleet, type Fleet, moneyOf, startFleet } from '../../chaos/fleet.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../../ledger/postgres-server.ts'
import { type GatewayProcess, workersOf } from '../gateway-process.ts'
import { type HeldUpstream, startHeldUpstream } from '../held-upstream.ts'

/** A connection of its own for each request: the next one is any worker's. */
const newConnection = { connection: 'close' }

const costNanoUsd = 29_000
const concurrency = 2

let redis: RedisServer
let postgres: PostgresServer
let held: HeldUpstream
let fleet: Fleet

const release: (() => void)[] = []

describe.skipIf(noRedis !== undefined || noPostgres)('two gateways of two workers over one Redis', () => {
  beforeAll(async () => {
    ;[redis, postgres] = await Promise.all([startRedis({ appends: true }), startPostgres()])
    held = await startHeldUpstream((response) => release.push(() => response.end(heldAnswer)))
    fleet = await startFleet({
      ...{ redisUrl: redis.url, databaseUrl: await postgres.createDatabase(), nodes: 2, workers: 2 },
      keys: [{ key: limitedKey, budgets: [{ limitUsd: '0.004', window: 'total' }] }],
      held: { baseUrl: `${new URL(held.url).origin}/v1`, concurrency },
    })
  })

  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await held[Symbol.asyncDispose]()
    await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()])
  })

  test('make one call of one Idempotency-Key that is sent to all workers at once', async () => {
    const before = fleet.upstream.billedNanoUsd()
    const headers = { ...newConnection, 'idempotency-key': 'one-for-four' }
    const asking = [...fleet.nodes, ...fleet.nodes, ...fleet.nodes, ...fleet.nodes]
    const answers = await Promise.all(asking.map(({ url }) => askFleet(url, { headers })))
    expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]))
    expect(fleet.upstream.billedNanoUsd() - before).toBe(costNanoUsd)
  })

  test('refuse a key everywhere once it is revoked at one', async () => {
    const [first, second] = fleet.nodes as readonly [GatewayProcess, GatewayProcess]
    const created = await manage(first, 'POST', '/keys', { name: 'to-be-revoked' })
    const key = created.key ?? ''
    const statuses = async () => {
      const asking = fleet.nodes.flatMap((node) => Array.from({ length: 6 }, () => node))
      const answers = await Promise.all(
        asking.map(({ url }) => askFleet(url, { key, headers: newConnection })),
      )
      return [...new Set(answers.map((answer) => answer?.status))]
    }
    await expect.poll(statuses).toEqual([200])
    await manage(second, 'PATCH', `/keys/${created.data['hash']}`, { disabled: true })
    await expect.poll(statuses).toEqual([401])
    expect(await statuses()).toEqual([401])
  })

  test('run as many calls at a provider as its concurrency says, and wake who waits at another', async () => {
    const answers = Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        askFleet(nodeAt(at).url, { model: 'held', headers: newConnection }),
      ),
    )
    for (let at = 0; at < 8; at++) {
      await held.arrived(Math.min(8, at + concurrency))
      // No more has arrived than have been answered, and two.
      expect(held.requests.length).toBeLessThanOrEqual(at + concurrency)
      release.shift()?.()
    }
    expect((await answers).map((answer) => answer?.status)).toEqual(Array.from({ length: 8 }, () => 200))
  })

  test('continue when a worker is killed: its places are free, and what it held is settled', async () => {
    const [first] = fleet.nodes as readonly [GatewayProcess, GatewayProcess]
    const cut = await holdAt(first, 2)
    const before = held.requests.length
    const waiting = askFleet(nodeAt(1).url, { model: 'held', headers: newConnection })
    const callers = callFleet(fleet.balancer.url, 12, () => newConnection)
    await expect.poll(() => callers.answered()).toBeGreaterThan(50)
    for (const pid of workersOf(first)) process.kill(pid, 'SIGKILL')
    expect(await Promise.all(cut)).toEqual([undefined, undefined])
    await held.arrived(before + 1)
    for (const end of release.splice(0)) end()
    expect(await waiting).toMatchObject({ status: 200 })
    const aim = callers.answered() + 50
    await expect.poll(() => callers.answered()).toBeGreaterThan(aim)
    await callers.stop()
    await expect.poll(async () => (await moneyOf(nodeAt(1))).held_nano_usd).toBe(0)
    expect((await moneyOf(nodeAt(1))).uncertain_nano_usd).toBeGreaterThan(0)
  })

  test('replace a worker that dies while Redis is unavailable, and settle its holds after the reconnect', async () => {
    const [first] = fleet.nodes as readonly [GatewayProcess, GatewayProcess]
    await expect.poll(() => workersOf(first).length).toBe(2)
    await expect.poll(async () => (await askFleet(first.url, { headers: newConnection }))?.status).toBe(200)
    const cut = await holdAt(first, 1)
    redis.stop()
    await expect
      .poll(async () => (await fleet.shared()).map(({ status }) => status))
      .toEqual(['away', 'away'])
    const workers = workersOf(first)
    for (const pid of workers) process.kill(pid, 'SIGKILL')
    expect(await Promise.all(cut)).toEqual([undefined])
    await expect.poll(() => workersOf(first).filter((pid) => !workers.includes(pid)).length).toBe(2)
    redis.resume()
    release.length = 0
    await expect
      .poll(async () => (await fleet.shared()).map(({ status, untold }) => [status, untold]))
      .toEqual([
        ['ok', 0],
        ['ok', 0],
      ])
    await expect.poll(async () => (await moneyOf(nodeAt(1))).held_nano_usd).toBe(0)
    await expect.poll(async () => (await askFleet(first.url, { headers: newConnection }))?.status).toBe(200)
  })

  test('spend one budget of a key to its end, over all four workers, to the nano-USD', async () => {
    const before = fleet.upstream.billedNanoUsd()
    const asking = Array.from({ length: 24 }, async () => {
      while (true) {
        const answer = await askFleet(fleet.balancer.url, { key: limitedKey, headers: newConnection })
        if (answer?.code === 'insufficient_quota') return
        expect([200, 429]).toContain(answer?.status)
      }
    })
    await Promise.all(asking)
    const billed = fleet.upstream.billedNanoUsd() - before
    expect(billed).toBeLessThanOrEqual(4_000_000)
    // Less is left than one call may cost.
    expect(4_000_000 - billed).toBeLessThan(200_000)
    for (const node of fleet.nodes) {
      await expect.poll(async () => await keysMoney(node)).toEqual([billed, 0])
    }
  })

  test('settle what the workers of a gateway held that is killed whole, and continue', async () => {
    const [first, second] = fleet.nodes as readonly [GatewayProcess, GatewayProcess]
    const cut = await holdAt(first, 2)
    const before = held.requests.length
    const uncertainBefore = (await moneyOf(second)).uncertain_nano_usd
    await fleet.lose(first)
    expect(await Promise.all(cut)).toEqual([undefined, undefined])
    const waiting = askFleet(second.url, { model: 'held', headers: newConnection })
    await held.arrived(before + 1)
    for (const end of release.splice(0)) end()
    expect(await waiting).toMatchObject({ status: 200 })
    await expect.poll(async () => (await moneyOf(second)).held_nano_usd).toBe(0)
    expect((await moneyOf(second)).uncertain_nano_usd).toBeGreaterThan(uncertainBefore)
  })
})

const limitedKey = 'a-key-with-a-budget-of-its-own'

const heldAnswer = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'held' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 11, total_tokens: 18 },
})

function nodeAt(at: number): GatewayProcess {
  const node = fleet.nodes[at % fleet.nodes.length]
  if (node === undefined) throw new TypeError('There is no node.')
  return node
}

/** Calls that the upstream has, and does not answer. */
async function holdAt({ url }: GatewayProcess, count: number): Promise<readonly Promise<unknown>[]> {
  const before = held.requests.length
  const calls = Array.from({ length: count }, () => askFleet(url, { model: 'held', headers: newConnection }))
  const ended = Promise.race(calls).then((answer) => {
    throw new Error(`It was answered: ${JSON.stringify(answer)}`)
  })
  ended.catch(() => undefined)
  await Promise.race([held.arrived(before + count), ended])
  return calls
}

type Row = Readonly<Record<string, unknown>>
type Managed = { readonly data: Row; readonly key?: string }

async function manage(
  { url }: GatewayProcess,
  method: string,
  path: string,
  body?: object,
): Promise<Managed> {
  const response = await fetch(`${url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Managed
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}

/** Of the key with a budget: spent and held. */
async function keysMoney(node: GatewayProcess): Promise<readonly unknown[]> {
  const { data } = await manage(node, 'GET', '/budgets')
  const budget = (data as unknown as readonly Row[]).find(({ limit_nano_usd: limit }) => limit === 4_000_000)
  return [budget?.['spent_nano_usd'], budget?.['held_nano_usd']]
}
