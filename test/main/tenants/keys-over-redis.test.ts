import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { newPrefix, openWire } from '../../state/redis/nodes.ts'

const adminKey = 'pgm_admin-0123456789'

let server: RedisServer

describe.skipIf(noRedis !== undefined)('nodes over one Redis, without a database', () => {
  beforeAll(async () => {
    server = await startRedis()
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  const node = (url: string, prefix: string) =>
    startTestGateway({
      adminKeys: [{ key: adminKey, role: 'admin' }],
      shared: {
        ...{ onLoss: 'local', leasePercent: 20, goneAfterMs: 600_000 },
        redis: { url, mode: 'single', sentinelName: 'main', prefix, timeoutMs: 10_000 },
      },
    })

  test.for(['that makes it', 'that should learn it'] as const)(
    'a key is refused everywhere once the node %s has Redis again',
    async (which) => {
      const prefix = newPrefix()
      await using wire = await openWire(server.port)
      await using one = await node(which === 'that makes it' ? wire.url : server.url, prefix)
      await using other = await node(which === 'that makes it' ? server.url : wire.url, prefix)
      const { data, key } = await admin(one, 'POST', '/keys', { name: 'revoked' })
      await expect.poll(() => statusOf(other, key)).toBe(200)
      wire.cut()
      await expect.poll(() => sharedIn([one, other])).toContain('away')
      await admin(one, 'PATCH', `/keys/${data.hash}`, { disabled: true })
      expect(await statusOf(other, key)).toBe(200)
      wire.mend()
      await expect.poll(() => statusOf(other, key)).toBe(401)
    },
  )

  test('a node that starts later has the keys that the others made and changed', async () => {
    const prefix = newPrefix()
    await using one = await node(server.url, prefix)
    await using other = await node(server.url, prefix)
    const early = await admin(one, 'POST', '/keys', { name: 'early' })
    const revoked = await admin(other, 'POST', '/keys', { name: 'revoked' })
    await admin(other, 'PATCH', `/keys/${revoked.data.hash}`, { disabled: true })
    await using late = await node(server.url, prefix)
    await expect.poll(() => statusOf(late, early.key)).toBe(200)
    expect(await statusOf(late, revoked.key)).toBe(401)
    expect(late.logged()).toContain('only over one DATABASE_URL')
  })
})

type Managed = { readonly data: { readonly hash: string }; readonly key: string }

async function admin({ url }: TestGateway, method: string, path: string, body: object): Promise<Managed> {
  const response = await fetch(`${url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.ok).toBe(true)
  return (await response.json()) as Managed
}

async function statusOf({ url }: TestGateway, key: string): Promise<number> {
  return (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status
}

async function sharedIn(nodes: readonly TestGateway[]): Promise<readonly string[]> {
  const answers = await Promise.all(nodes.map(({ url }) => fetch(`${url}/health`)))
  const bodies = await Promise.all(answers.map((answer) => answer.json()))
  return bodies.map((body) => (body as { shared: { status: string } }).shared.status)
}
