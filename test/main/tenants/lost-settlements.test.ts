import { cp } from 'node:fs/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPostgresStore } from '../../../src/ledger/store/postgres/postgres-store.ts'
import { counts } from '../../../src/ledger/store/rollup.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../../ledger/postgres-server.ts'
import { startHeldUpstream } from '../../tenants/held-upstream.ts'
import { ask, configAt, rule } from '../../tenants/stage.ts'

const adminKey = 'pgm_admin-0123456789'
/** What a lost call came to in the end. */
const costNanoUsd = 100_000
/** The part of it that its node knew, and counted, before. */
const knownNanoUsd = 12_000
const restNanoUsd = costNanoUsd - knownNanoUsd

describe.skipIf(noPostgres)('an uncertain call of a node that is gone', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('is settled by another, once, and not again when its node returns', async () => {
    await using scene = await setUp()
    const { id, directory } = await scene.lose()
    await scene.age()
    const other = await scene.start()
    expect(await settle(other, id)).toMatchObject({ settled: true, pending: false })
    expect(await moneyOf(other)).toEqual([restNanoUsd, 0])
    expect(await settlementsOf(other)).toEqual([id])
    await expect.poll(scene.sums).toEqual([costNanoUsd, 0])
    expect(await scene.settledCost(id)).toBe(costNanoUsd)

    const third = await scene.start()
    expect(await settle(third, id)).toMatchObject({ settled: false, pending: false })
    const returned = await scene.start({ directory })
    expect(await moneyOf(returned)).toEqual([knownNanoUsd, 0])
    await returned[Symbol.asyncDispose]()
    const again = await scene.start({ directory })
    expect(await moneyOf(again)).toEqual([knownNanoUsd, 0])
    expect(await settle(again, id)).toMatchObject({ settled: false, pending: false })
    expect(await moneyOf(other)).toEqual([restNanoUsd, 0])
    expect(await scene.sums()).toEqual([costNanoUsd, 0])
    expect(await scene.rows('select id from uncertain_calls')).toEqual([])
  })

  test('waits while its node may return, and is then settled by whichever node sees it first', async () => {
    await using scene = await setUp()
    const { id } = await scene.lose()
    const other = await scene.start()
    expect(await settle(other, id)).toMatchObject({ settled: false, pending: true })
    expect(await settle(other, id, 2 * costNanoUsd)).toMatchObject({ settled: false, pending: true })
    expect(await moneyOf(other)).toEqual([0, 0])
    await scene.age()
    const third = await scene.start()
    const spent = async () => (await moneyOf(other))[0] + (await moneyOf(third))[0]
    await expect.poll(spent).toBe(costNanoUsd + restNanoUsd)
    await expect.poll(scene.sums).toEqual([2 * costNanoUsd, 0])
    expect(await spent()).toBe(costNanoUsd + restNanoUsd)
    expect(await settle(other, id)).toMatchObject({ settled: false, pending: false })
  })

  test('is counted by one of the nodes that are to settle it at the same time', async () => {
    await using scene = await setUp()
    const { id } = await scene.lose()
    await scene.age()
    const nodes = [await scene.start(), await scene.start(), await scene.start()]
    const told = await Promise.all(nodes.map((node) => settle(node, id)))
    expect(told).toContainEqual(expect.objectContaining({ settled: true }))
    const money = async () => await Promise.all(nodes.map(moneyOf))
    await expect.poll(async () => (await money()).map(([spent]) => spent).sort()).toEqual([0, 0, restNanoUsd])
    await expect.poll(scene.sums).toEqual([costNanoUsd, 0])
  })

  test('is found for writing off, although its node left no record of it', async () => {
    await using scene = await setUp()
    const { id } = await scene.lose({ isHeld: true })
    await scene.age()
    const other = await scene.start()
    await expect.poll(scene.lostCalls).toEqual([id])
    expect(await settle(other, id, 0)).toMatchObject({ settled: true })
    expect(await moneyOf(other)).toEqual([0, 0])
    await expect.poll(scene.lostCalls).toEqual([])
  })

  test('is settled by its node if that returns first', async () => {
    await using scene = await setUp()
    const { id, directory } = await scene.lose()
    const other = await scene.start()
    expect(await settle(other, id)).toMatchObject({ pending: true })
    const returned = await scene.start({ directory })
    expect(await moneyOf(returned)).toEqual([costNanoUsd, 0])
    expect(await moneyOf(other)).toEqual([0, 0])
    await expect.poll(scene.sums).toEqual([costNanoUsd, 0])
  })

  test('is counted by the node that took it, even if that node ended before it had counted it', async () => {
    await using scene = await setUp()
    const { id } = await scene.lose()
    const other = await scene.start()
    expect(await settle(other, id)).toMatchObject({ pending: true })
    await scene.rows(`update settlements_due set taken_by = (select node from nodes where node <> $1)`, [
      scene.lost(),
    ])
    await expect.poll(() => moneyOf(other)).toEqual([restNanoUsd, 0])
    await expect.poll(scene.sums).toEqual([costNanoUsd, 0])
    await scene.rows('update settlements_due set settled_by = null')
    await expect.poll(scene.open).toBe(0)
    expect(await moneyOf(other)).toEqual([restNanoUsd, 0])
  })

  test('reaches the reports without the node that took it, which counts it when it returns', async () => {
    await using scene = await setUp()
    const { id, directory } = await scene.lose()
    const other = await scene.start()
    expect(await settle(other, id)).toMatchObject({ pending: true })
    await scene.rows('update settlements_due set taken_by = $1', [scene.lost()])
    await scene.age()
    const third = await scene.start()
    await expect.poll(scene.sums).toEqual([costNanoUsd, 0])
    expect([await moneyOf(other), await moneyOf(third)]).toEqual([
      [0, 0],
      [0, 0],
    ])
    const returned = await scene.start({ directory })
    expect(await moneyOf(returned)).toEqual([costNanoUsd, 0])
    expect(await scene.sums()).toEqual([costNanoUsd, 0])
  })

  test('is settled in the reports at once if no budget counts it', async () => {
    await using scene = await setUp({ budgets: [] })
    const { id } = await scene.lose()
    const other = await scene.start()
    expect(await settle(other, id)).toMatchObject({ settled: true, pending: false })
    await expect.poll(scene.sums).toEqual([costNanoUsd, 0])
    expect(await settle(other, id)).toMatchObject({ settled: false, pending: false })
  })

  test('is uncertain at one node only, if it ended with its node and another took over what it held', async () => {
    await using scene = await setUp()
    const { id, directory } = await scene.lose({ isHeld: true })
    await scene.age()
    const other = await scene.start()
    const [, uncertain] = await moneyOf(other)
    expect(uncertain).toBeGreaterThan(0)
    await expect.poll(() => scene.rows('select id from uncertain_calls')).toHaveLength(1)
    const returned = await scene.start({ directory })
    await expect.poll(() => moneyOf(returned)).toEqual([0, 0])
    expect(await settle(returned, id)).toMatchObject({ settled: true })
    expect([await moneyOf(other), await moneyOf(returned)]).toEqual([
      [costNanoUsd, 0],
      [0, 0],
    ])
  })

  async function setUp({ budgets = [rule(1e9, { name: 'all' })] } = {}) {
    const databaseUrl = await server.createDatabase()
    const upstream = await startHeldUpstream({})
    const store = openPostgresStore(databaseUrl)
    const running = new AsyncDisposableStack()
    const rows = (text: string, values: readonly unknown[] = []) => rowsIn(databaseUrl, text, values)
    let gone = ''
    const scene = {
      rows,
      async start({ directory }: { readonly directory?: string } = {}): Promise<TestGateway> {
        const { tenants: _, ...config } = configAt(upstream.url, {})
        const dataDirectory = directory ?? (await temporaryDirectory('node-'))
        const gateway = await startTestGateway({
          ...config,
          adminKeys: [{ key: adminKey, role: 'admin' }],
          tenants: { ...simulatorConfig.tenants, budgets },
          ...{ dataDirectory, isDataDirectoryGiven: true },
          ledger: { ...simulatorConfig.ledger, enabled: true, databaseUrl },
        })
        return running.use(gateway)
      },
      /**
       * A call of a node that is killed, and the directory that this node leaves: its caller went away before, or the
       * call still holds money.
       */
      async lose({ isHeld = false } = {}) {
        const dataDirectory = await temporaryDirectory('node-')
        const node = await scene.start({ directory: dataDirectory })
        const leaving = new AbortController()
        const left = ask(node.url, {}, {}, leaving.signal).catch(() => undefined)
        await expect.poll(() => upstream.asked.length).toBe(1)
        if (!isHeld) leaving.abort()
        const table = isHeld ? 'holds' : 'calls'
        await expect.poll(() => rows(`select id from ${table}`)).toHaveLength(1)
        const [{ id } = {}] = await rows(`select id from ${table}`)
        const before = await rows('select node, segment, byte from positions')
        const holds = await rows('select id, node, body from holds')
        const directory = await temporaryDirectory('left-')
        await cp(dataDirectory, directory, { recursive: true })
        leaving.abort()
        await left
        await node[Symbol.asyncDispose]()
        // What it did at its end has not happened.
        for (const { node: name, segment, byte } of before) {
          gone = String(name)
          await rows('update positions set segment = $1, byte = $2', [segment, byte])
          await rows('insert into nodes (node) values ($1) on conflict do nothing', [gone])
        }
        for (const hold of holds) {
          await rows('delete from calls')
          await rows('delete from uncertain_calls')
          await rows('insert into holds (id, node, body) values ($1, $2, $3)', Object.values(hold))
        }
        return { id: String(id), directory }
      },
      /** The node that was killed. */
      lost: () => gone,
      /** Time in which the database hears nothing of it. */
      async age() {
        await rows(`update nodes set seen = now() - interval '2 minutes' where node = $1`, [gone])
      },
      lostCalls: () => store.lostCalls(Date.now() + 1),
      async open() {
        return (await rows('select id from settlements_due where settled_by is null')).length
      },
      /** The cost and the uncertain cost in the reports. */
      async sums() {
        const [row] = await store.usage({
          by: [],
          filters: {},
          withHistograms: false,
          limit: 1,
          from: 0,
          to: 9e15,
        })
        return [row?.sums[counts.indexOf('cost')], row?.sums[counts.indexOf('uncertain')]]
      },
      settledCost: async (id: string) => (await store.call(id))?.settled?.nanoUsd,
      async [Symbol.asyncDispose]() {
        await running.disposeAsync()
        await upstream[Symbol.asyncDispose]()
        await store[Symbol.asyncDispose]()
      },
    }
    return scene
  }
})

async function settle(gateway: TestGateway, id: string, nanoUsd = costNanoUsd): Promise<unknown> {
  return (await admin(gateway, 'POST', `/calls/${id}/settle`, { cost_usd: nanoUsd / 1e9 })).data
}

/** Of the one budget: spent and uncertain. */
async function moneyOf(gateway: TestGateway): Promise<readonly [spent: number, uncertain: number]> {
  const [budget] = (await admin(gateway, 'GET', '/budgets')).data as readonly Record<string, number>[]
  return [budget?.['spent_nano_usd'] ?? 0, budget?.['uncertain_nano_usd'] ?? 0]
}

/** The calls that the audit of a node says were settled. */
async function settlementsOf(gateway: TestGateway): Promise<readonly string[]> {
  const rows = (await admin(gateway, 'GET', '/audit')).data as readonly AuditRow[]
  return rows.filter(({ action }) => action === 'call.settle').map(({ subject }) => subject.id)
}

type AuditRow = { readonly action: string; readonly subject: { readonly id: string } }

async function admin(
  gateway: TestGateway,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly data: unknown }> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  expect(response.ok, text).toBe(true)
  return JSON.parse(text)
}

async function rowsIn(databaseUrl: string, text: string, values: readonly unknown[] = []) {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows
  } finally {
    await client.end()
  }
}
