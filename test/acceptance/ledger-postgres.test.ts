import { expect, test } from 'vitest'
import { openPostgresStore } from '../../src/ledger/store/postgres/postgres-store.ts'
import { noPostgres, startPostgres } from '../ledger/postgres-server.ts'
import { startGateway } from './gateway-process.ts'

test.skipIf(noPostgres)(
  'with DATABASE_URL calls are in Postgres; while it is unavailable none fails, and later all are there',
  async () => {
    await using server = await startPostgres()
    const databaseUrl = await server.createDatabase()
    await using gateway = await startGateway({ environment: { DATABASE_URL: databaseUrl } })
    const ids = [await ask(gateway.url), await ask(gateway.url)]
    await expect.poll(() => ledgerOf(gateway.url)).toMatchObject(upToDate)
    await server.kill()
    for (let call = 0; call < 20; call++) ids.push(await ask(gateway.url))
    await expect.poll(() => ledgerOf(gateway.url)).toMatchObject({ status: 'store_fails' })
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
    await server.start()
    await expect.poll(() => ledgerOf(gateway.url)).toMatchObject(upToDate)
    await using store = openPostgresStore(databaseUrl)
    const { calls: stored } = await store.calls({ filters: {}, limit: 100 })
    expect(stored.map(({ call }) => call.requestId).toSorted()).toEqual(ids.toSorted())
    expect(gateway.stdout()).not.toContain(databaseUrl)
  },
)

const upToDate = { store: 'postgres', status: 'ok', behind_bytes: 0 }

async function ledgerOf(url: string): Promise<unknown> {
  return ((await (await fetch(`${url}/health`)).json()) as { ledger: unknown }).ledger
}

async function ask(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  expect(response.status).toBe(200)
  await response.text()
  return response.headers.get('x-request-id') ?? ''
}
