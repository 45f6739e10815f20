import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { makeDirectory } from '../ledger/directory.ts'
import { noPostgres, startPostgres } from '../ledger/postgres-server.ts'

describe('responses that callers come back to', () => {
  test('are there after a restart, with what they continue from, until they are deleted', async () => {
    await using directory = await makeDirectory()
    const config = keptIn(directory.path)
    const first = await served(config, async (gateway) => {
      const one = await respond(gateway, { input: 'one' })
      return await respond(gateway, { input: 'two', stream: true, previous_response_id: one })
    })
    await served(config, async (gateway) => {
      expect(await lookUp(gateway, 'GET', first)).toMatchObject([200, { id: first, status: 'completed' }])
      const input = await lookUp(gateway, 'GET', `${first}/input_items`)
      expect(JSON.stringify(input)).toContain('two')
      const third = await respond(gateway, { input: 'three', previous_response_id: first })
      expect(await lookUp(gateway, 'GET', third)).toMatchObject([200, { previous_response_id: first }])
      expect(await lookUp(gateway, 'DELETE', first)).toMatchObject([200, { deleted: true }])
    })
    await served(config, async (gateway) => {
      expect(await lookUp(gateway, 'GET', first)).toMatchObject([404, {}])
      const refused = await ask(gateway, { input: 'four', previous_response_id: first })
      expect(refused.status).toBe(400)
      expect(await refused.text()).toContain('previous_response_not_found')
    })
  })

  test('are gone with the process where they are kept in memory', async () => {
    await using directory = await makeDirectory()
    const config = {
      ...keptIn(directory.path),
      responses: { ...simulatorConfig.responses, keep: 'memory' },
    } as const
    const id = await served(config, async (gateway) => await respond(gateway, { input: 'one' }))
    await served(config, async (gateway) => {
      expect(await lookUp(gateway, 'GET', id)).toMatchObject([404, {}])
    })
  })

  test('are each tenant’s own', async () => {
    await using directory = await makeDirectory()
    const keys = ['gateway-key-number-one', 'gateway-key-number-two']
    await served({ ...keptIn(directory.path), keys }, async (gateway) => {
      const [one = '', two = ''] = keys
      const id = await respond(gateway, { input: 'one' }, one)
      expect(await lookUp(gateway, 'GET', id, two)).toMatchObject([404, {}])
      expect(await lookUp(gateway, 'DELETE', id, two)).toMatchObject([404, {}])
      expect(await lookUp(gateway, 'GET', id, one)).toMatchObject([200, {}])
    })
  })

  test.skipIf(noPostgres)(
    'are those of all gateways over one Postgres, while it is there',
    async () => {
      await using server = await startPostgres()
      const databaseUrl = await server.createDatabase()
      await using here = await makeDirectory()
      await using there = await makeDirectory()
      await using first = await startTestGateway(keptIn(here.path, databaseUrl))
      await using second = await startTestGateway(keptIn(there.path, databaseUrl))
      const one = await respond(first, { input: 'one' })
      const two = await respond(second, { input: 'two', previous_response_id: one })
      expect(await lookUp(first, 'GET', two)).toMatchObject([200, { previous_response_id: one }])
      expect(await lookUp(second, 'DELETE', one)).toMatchObject([200, {}])
      expect(await lookUp(first, 'GET', one)).toMatchObject([404, {}])
      await server.kill()
      const kept = await respond(first, { input: 'three' })
      expect(await lookUp(first, 'GET', kept)).toMatchObject([200, {}])
      const [status, body] = await lookUp(first, 'GET', two)
      expect([status, JSON.stringify(body)]).toEqual([503, expect.stringContaining('store_unavailable')])
      await server.start()
      let found = await lookUp(second, 'GET', kept)
      while (found[0] !== 200) {
        // The first hands over what waits by itself.
        await new Promise((resolve) => setTimeout(resolve, 50))
        found = await lookUp(second, 'GET', kept)
      }
      expect(found).toMatchObject([200, { id: kept }])
    },
    120_000,
  )
})

function keptIn(dataDirectory: string, databaseUrl?: string): Partial<Config> {
  const ledger = {
    ...simulatorConfig.ledger,
    enabled: true,
    ...(databaseUrl !== undefined && { databaseUrl }),
  }
  return { dataDirectory, isDataDirectoryGiven: true, ledger }
}

async function served<Answer>(
  config: Partial<Config>,
  use: (gateway: TestGateway) => Promise<Answer>,
): Promise<Answer> {
  await using gateway = await startTestGateway(config)
  return await use(gateway)
}

function ask({ url }: TestGateway, change: object, key = ''): Promise<Response> {
  return fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model: 'm', ...change }),
  })
}

/** The id of a response that was made. */
async function respond(gateway: TestGateway, change: object, key?: string): Promise<string> {
  const response = await ask(gateway, change, key)
  const text = await response.text()
  expect([response.status, text]).toEqual([200, expect.any(String)])
  return /"id":"(resp_\w+)"/.exec(text)?.[1] ?? ''
}

async function lookUp(
  { url }: TestGateway,
  method: 'GET' | 'DELETE',
  path: string,
  key = '',
): Promise<[number, unknown]> {
  const headers = key === '' ? {} : { authorization: `Bearer ${key}` }
  const response = await fetch(`${url}/v1/responses/${path}`, { method, headers })
  return [response.status, await response.json()]
}
