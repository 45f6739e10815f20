import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { noPostgres, startPostgres } from '../ledger/postgres-server.ts'
import { type GatewayProcess, runGateway, startGateway } from './gateway-process.ts'

const adminKey = 'a-key-of-an-operator-0123456789'
const callerKey = 'a-key-of-a-caller-0123456789'

test.skipIf(noPostgres)(
  'an uncertain call is settled at any of the nodes over one Postgres, once, and later if its node is unreachable',
  async () => {
    await using server = await startPostgres()
    const environment = { DATABASE_URL: await server.createDatabase(), ADMIN_KEY: adminKey }
    await using upstream = await startSilentUpstream()
    const file = JSON.stringify({
      auth: { keys: [{ key: callerKey, name: 'caller', budgets: [{ limitUsd: 10 }] }] },
      providers: { up: { type: 'openai-compatible', baseUrl: upstream.url, apiKey: 'sk-upstream' } },
      models: { m: { deployments: [{ provider: 'up', price: { input: 1, output: 2 } }] } },
    })
    const first = await startGateway({ environment, file })
    await using second = await startGateway({ environment, file })
    const id = await leave(first, upstream)
    expect(await moneyOf(first)).not.toMatchObject({ uncertain_nano_usd: 0 })
    expect(await settle(second, 'req_of_nobody')).toMatchObject({ settled: false, pending: false })
    expect(await settle(second, id)).toMatchObject({
      id,
      settled: true,
      pending: false,
      cost_nano_usd: 10_000,
    })
    expect(await moneyOf(first)).toMatchObject({ spent_nano_usd: 10_000, uncertain_nano_usd: 0 })
    expect(await settle(second, id)).toMatchObject({ settled: false, pending: false })
    expect(await moneyOf(first)).toMatchObject({ spent_nano_usd: 10_000, uncertain_nano_usd: 0 })
    await expect
      .poll(async () => await read(second, `/calls/${id}`), { timeout: 10_000 })
      .toMatchObject({ data: { settled: { cost_nano_usd: 10_000, by: expect.any(String) } } })

    const later = await leave(first, upstream)
    await expect.poll(() => statusOf(second, `/calls/${later}`), { timeout: 10_000 }).toBe(200)
    first.kill()
    await first.ended
    expect(await settle(second, later)).toMatchObject({ settled: false, pending: true })
    await using again = await startGateway({ environment, file, directory: first.directory })
    await expect
      .poll(() => moneyOf(again), { timeout: 10_000 })
      .toMatchObject({ spent_nano_usd: 20_000, uncertain_nano_usd: 0 })
    expect(await settle(second, later)).toMatchObject({ settled: false, pending: false })

    const last = await leave(again, upstream)
    await expect.poll(() => statusOf(second, `/calls/${last}`), { timeout: 10_000 }).toBe(200)
    const invoice = join(second.directory, 'invoice.csv')
    await writeFile(invoice, 'day,model,cost\n2020-01-01,m,0\n')
    const words = ['reconcile', invoice, '--write-off', '0h', '--json']
    const told = await runGateway(words, {
      ...{ file, environment: { ...environment, PORT: new URL(second.url).port } },
    })
    expect(JSON.parse(told.stdout), told.stderr).toMatchObject({ written_off: [last], pending: [] })
    expect(await moneyOf(again)).toMatchObject({ uncertain_nano_usd: 0 })
  },
)

test('an uncertain call that no budget counts is settled in the reports, once', async () => {
  await using upstream = await startSilentUpstream()
  const file = JSON.stringify({
    auth: { keys: [{ key: callerKey, name: 'caller' }] },
    providers: { up: { type: 'openai-compatible', baseUrl: upstream.url, apiKey: 'sk-upstream' } },
    models: { m: { deployments: [{ provider: 'up', price: { input: 1, output: 2 } }] } },
  })
  await using node = await startGateway({ environment: { ADMIN_KEY: adminKey }, file })
  const id = await leave(node, upstream)
  expect(await settle(node, 'req_of_nobody')).toMatchObject({ settled: false, pending: false })
  await expect.poll(() => settle(node, id)).toMatchObject({ id, settled: true, cost_nano_usd: 10_000 })
  expect(await settle(node, id)).toMatchObject({ settled: false, pending: false })
  await expect
    .poll(() => read(node, `/calls/${id}`))
    .toMatchObject({ data: { settled: { cost_nano_usd: 10_000 } } })
  expect(await read(node, '/usage?by=key')).toMatchObject({ data: [{ requests: 1, cost_nano_usd: 10_000 }] })
  const { data } = (await read(node, '/keys')) as { data: { name: string; usage_nano_usd: number }[] }
  expect(data.find(({ name }) => name === 'caller')).toMatchObject({ usage_nano_usd: 10_000 })
})

/** A call whose caller goes away before its answer: the upstream may charge it. Gives its id. */
async function leave(node: GatewayProcess, upstream: SilentUpstream): Promise<string> {
  const asked = upstream.asked()
  const leaving = new AbortController()
  const left = fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${callerKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi.' }], max_tokens: 5 }),
    signal: leaving.signal,
  }).catch(() => undefined)
  await expect.poll(() => upstream.asked(), { timeout: 10_000 }).toBe(asked + 1)
  leaving.abort()
  await left
  const line = await node.line((one) => one['outcome'] === 'left' && !seen.has(String(one['requestId'])))
  const id = String(line['requestId'])
  seen.add(id)
  return id
}

type SilentUpstream = Awaited<ReturnType<typeof startSilentUpstream>>

/** An upstream that takes calls and does not answer them. */
async function startSilentUpstream() {
  let asked = 0
  const server = createServer((request, response) => {
    request.resume()
    if (request.method === 'POST') asked++
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const seen = new Set<string>()

async function settle(node: GatewayProcess, id: string): Promise<unknown> {
  const response = await fetch(`${node.url}/admin/api/calls/${id}/settle`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ cost_usd: 0.00001 }),
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as { data: unknown }).data
}

async function moneyOf(node: GatewayProcess): Promise<unknown> {
  const { data } = (await read(node, '/budgets')) as { data: readonly unknown[] }
  return data[0]
}

async function read(node: GatewayProcess, path: string): Promise<unknown> {
  return await (await get(node, path)).json()
}

async function statusOf(node: GatewayProcess, path: string): Promise<number> {
  const response = await get(node, path)
  await response.arrayBuffer()
  return response.status
}

function get(node: GatewayProcess, path: string): Promise<Response> {
  return fetch(`${node.url}/admin/api${path}`, { headers: { authorization: `Bearer ${adminKey}` } })
}
