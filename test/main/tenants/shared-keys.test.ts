import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { openPostgresStore } from '../../../src/ledger/store/postgres/postgres-store.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../../ledger/postgres-server.ts'
import { type HeldUpstream, startHeldUpstream } from '../../tenants/held-upstream.ts'
import { ask, configAt, rule } from '../../tenants/stage.ts'

const adminKey = 'pgm_admin-0123456789'
const usage = { prompt_tokens: 8, completion_tokens: 5 }

describe.skipIf(noPostgres)('nodes over one database', () => {
  let server: PostgresServer
  let upstream: HeldUpstream
  beforeAll(async () => {
    server = await startPostgres()
    upstream = await startHeldUpstream({ usage, isHeld: false, words: 2 })
  })
  afterAll(async () => {
    await upstream[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  async function node(
    databaseUrl: string,
    more: Partial<Config> = {},
    url = upstream.url,
  ): Promise<TestGateway> {
    const { tenants: _, ...config } = configAt(url, {})
    return await startTestGateway({
      ...config,
      adminKeys: [{ key: adminKey, role: 'admin' }],
      dataDirectory: await temporaryDirectory('node-'),
      isDataDirectoryGiven: true,
      ledger: { ...simulatorConfig.ledger, enabled: true, databaseUrl },
      ...more,
    })
  }

  test('take a key that one of them makes, changes and deletes', async () => {
    const databaseUrl = await server.createDatabase()
    await using one = await node(databaseUrl)
    await using other = await node(databaseUrl)
    const { data, key } = await admin(one, 'POST', '/keys', { name: 'spread', models: ['m'] })
    await expect.poll(() => statusOf(other, key)).toBe(200)
    await admin(other, 'PATCH', `/keys/${data.hash}`, { models: ['another'] })
    await expect.poll(() => statusOf(one, key)).toBe(404)
    await admin(other, 'PATCH', `/keys/${data.hash}`, { models: ['m'] })
    await expect.poll(() => statusOf(one, key)).toBe(200)
    await admin(one, 'DELETE', `/keys/${data.hash}`)
    expect(await statusOf(one, key)).toBe(401)
    await expect.poll(() => statusOf(other, key)).toBe(401)
    const rows = (await admin(other, 'GET', '/audit')).data as unknown as { action: string }[]
    expect(rows.map(({ action }) => action)).toEqual(['key.delete', 'key.update', 'key.update', 'key.create'])
  })

  test('take teams, and what is added to a limit, each once', async () => {
    const databaseUrl = await server.createDatabase()
    await using one = await node(databaseUrl)
    await using other = await node(databaseUrl)
    await admin(one, 'POST', '/teams', { name: 'research', limit: 1 })
    const { key } = await admin(one, 'POST', '/keys', { name: 'of a team', team: 'research' })
    await expect.poll(() => statusOf(other, key)).toBe(200)
    await admin(one, 'POST', '/budgets/override', { budget: 'team:research/limit', amount: 5 })
    const limit = async (gateway: TestGateway) => (await admin(gateway, 'GET', '/teams/research')).data.limit
    await expect.poll(() => limit(other)).toBe(6)
    expect(await limit(one)).toBe(6)
    await admin(other, 'DELETE', '/teams/research')
    await expect.poll(() => statusOf(one, key)).toBe(401)
  })

  test('load at their start what others made before', async () => {
    const databaseUrl = await server.createDatabase()
    await using one = await node(databaseUrl)
    const { data, key } = await admin(one, 'POST', '/keys', { name: 'early' })
    const gone = await admin(one, 'POST', '/keys', { name: 'gone' })
    await admin(one, 'DELETE', `/keys/${gone.data.hash}`)
    const found = () => rowsIn(databaseUrl, 'select id from shared_changes')
    await expect.poll(found).toHaveLength(2)
    await using late = await node(databaseUrl)
    expect(await statusOf(late, key)).toBe(200)
    expect(await statusOf(late, gone.key)).toBe(401)
    expect((await admin(late, 'GET', `/keys/${data.hash}`)).data.name).toBe('early')
  })

  test('start with the keys that they know, and end, while the database does not answer', async () => {
    const databaseUrl = await server.createDatabase()
    const dataDirectory = await temporaryDirectory('node-')
    const first = await node(databaseUrl, { dataDirectory })
    const { key } = await admin(first, 'POST', '/keys', { name: 'known' })
    await first[Symbol.asyncDispose]()
    const other = new Client({ connectionString: databaseUrl })
    await other.connect()
    await other.query('begin; lock table migrations, shared_changes in access exclusive mode')
    const gateway = await node(databaseUrl, { dataDirectory })
    expect(await statusOf(gateway, key)).toBe(200)
    // It ends without an answer, too.
    await gateway[Symbol.asyncDispose]()
    await other.end()
  })

  test('learn of a change without a message too', async () => {
    const databaseUrl = await server.createDatabase()
    await using one = await node(databaseUrl)
    const { data, key } = await admin(one, 'POST', '/keys', { name: 'polled' })
    await expect.poll(() => rowsIn(databaseUrl, 'select id from shared_changes')).toHaveLength(1)
    // As a node that cannot be heard leaves it: a later row, and no word of it.
    const [row] = await rowsIn(databaseUrl, 'select body from shared_changes')
    const entry = JSON.parse(String(row?.['body']))
    const after = { ...entry, id: 'evt_z', at: entry.at + 1, after: { ...entry.after, isDisabled: true } }
    await rowsIn(
      databaseUrl,
      `update shared_changes set at = at + 1, event = 'evt_z', version = nextval('shared_versions'), body = $1`,
      [JSON.stringify(after)],
    )
    await expect.poll(() => statusOf(one, key)).toBe(401)
    expect((await admin(one, 'GET', `/keys/${data.hash}`)).data.disabled).toBe(true)
  })

  test('end a key’s calls on all of them, where that is asked for', async () => {
    const databaseUrl = await server.createDatabase()
    await using endless = await startHeldUpstream({ words: 1_000_000, isHeld: false })
    await using one = await node(databaseUrl)
    await using other = await node(databaseUrl, {}, endless.url)
    const { data, key } = await admin(one, 'POST', '/keys', { name: 'taken' })
    await expect.poll(() => knows(other, key)).toBe(true)
    const body = { stream: true, max_tokens: 100_000 }
    const response = await ask(other.url, body, { authorization: `Bearer ${key}` })
    expect(response.status).toBe(200)
    await admin(one, 'DELETE', `/keys/${data.hash}?abort=true`)
    expect(await response.text()).toContain('"code":"key_revoked"')
  })

  test('settle what a node held that is gone, once', async () => {
    const databaseUrl = await server.createDatabase()
    const budgets = { tenants: { ...simulatorConfig.tenants, budgets: [rule(1e9, { name: 'all' })] } }
    const manager = { adminKeys: [{ key: adminKey, role: 'admin' as const }] }
    // The schema.
    await using store = openPostgresStore(databaseUrl)
    await store.migrate()
    const body = { type: 'hold', id: 'req_lost', at: 1, owner: 'node-gone', until: 1 }
    const parts = [{ counter: 'gateway/all|total', nanoUsd: 250_000 }]
    await rowsIn(databaseUrl, `insert into nodes values ('node_gone', now() - interval '2 minutes')`)
    await rowsIn(databaseUrl, `insert into holds (id, node, body) values ('req_lost', 'node_gone', $1)`, [
      JSON.stringify({ ...body, parts }),
    ])
    await using one = await node(databaseUrl, { ...budgets, ...manager })
    await using other = await node(databaseUrl, { ...budgets, ...manager })
    const uncertain = async (gateway: TestGateway) => {
      const { data } = await admin(gateway, 'GET', '/budgets')
      return (data as unknown as { uncertain_nano_usd: number }[])[0]?.uncertain_nano_usd ?? 0
    }
    await expect.poll(() => uncertain(one)).toBe(250_000)
    expect(await uncertain(other)).toBe(0)
    await expect.poll(() => rowsIn(databaseUrl, 'select id from holds')).toEqual([])
  })

  test('continue with the keys they know while the database is unavailable, and catch up', async () => {
    const databaseUrl = await server.createDatabase()
    await using one = await node(databaseUrl)
    await using other = await node(databaseUrl)
    const { data, key } = await admin(one, 'POST', '/keys', { name: 'known' })
    await expect.poll(() => statusOf(other, key)).toBe(200)
    await server.kill()
    expect([await statusOf(one, key), await statusOf(other, key)]).toEqual([200, 200])
    await admin(one, 'DELETE', `/keys/${data.hash}`)
    expect(await statusOf(one, key)).toBe(401)
    await server.start()
    await expect.poll(() => statusOf(other, key)).toBe(401)
  })
})

type Made = {
  readonly data: {
    readonly hash: string
    readonly name: string
    readonly limit: number
    readonly disabled: boolean
  }
  readonly key: string
}

async function admin(gateway: TestGateway, method: string, path: string, body?: object): Promise<Made> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  expect(response.ok, text).toBe(true)
  return JSON.parse(text) as Made
}

async function knows(gateway: TestGateway, key: string): Promise<boolean> {
  const response = await fetch(`${gateway.url}/v1/key`, { headers: { authorization: `Bearer ${key}` } })
  await response.body?.cancel()
  return response.ok
}

async function statusOf(gateway: TestGateway, key: string): Promise<number> {
  const response = await ask(gateway.url, {}, { authorization: `Bearer ${key}` })
  await response.body?.cancel()
  return response.status
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
