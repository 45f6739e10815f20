import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'
import { rawRequest } from '../../harness/raw-request.ts'

const key = 'a-key-of-the-gateway'

const file = `
auth: { keys: [${key}] }
providers:
  simulator: {}
  away: { type: openai-compatible, baseUrl: 'http://127.0.0.1:9/v1' }
models:
  team/big model:
    deployments:
      - provider: away
        model: big
        retries: 0
        price: { input: '0.5', output: '1.25' }
        contextTokens: 8192
      - provider: simulator
        model: sim-echo
        price: { perSecond: '0.001', perRequest: '0.02' }
        contextTokens: 4096
        maxOutputTokens: 512
  sim-*:
    deployments: [{ provider: simulator }]
`

async function start() {
  const {
    host: _host,
    port: _port,
    ...config
  } = loadConfig({
    environment: { GATEWAY_CONFIG: 'a.yaml' },
    readFile: onlyFile(file),
    providers,
  })
  return await startTestGateway({ ...config, logLevel: 'trace' })
}

const bearing = { authorization: `Bearer ${key}` }

const own = { source: 'own', since: null, as_of: null, firm: true }

const expected = {
  id: 'team/big model',
  object: 'model',
  created: expect.any(Number),
  owned_by: 'away',
  context_length: 8192,
  pricing: { prompt: '0.0000005', completion: '0.00000125' },
  pricing_source: own,
  deployments: [
    {
      id: 'big@away',
      provider: 'away',
      context_length: 8192,
      pricing: { prompt: '0.0000005', completion: '0.00000125' },
      pricing_source: own,
      health: {
        breaker: 'closed',
        success_rate: 1,
        first_token_ms: null,
        tokens_per_second: null,
        probe: null,
      },
    },
    {
      id: 'sim-echo@simulator',
      provider: 'simulator',
      context_length: 4096,
      max_completion_tokens: 512,
      pricing: { second: '0.001', request: '0.02' },
      pricing_source: own,
      health: {
        breaker: 'closed',
        success_rate: 1,
        first_token_ms: null,
        tokens_per_second: null,
        probe: null,
      },
    },
  ],
}

test('The list tells what is configured and known, through OpenAI’s client', async () => {
  await using gateway = await start()
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 })
  const { data } = await client.models.list()
  expect(data[0]).toEqual(expected)
  expect(data.map(({ id }) => id)).toContain('sim-echo')
  expect(await client.models.retrieve('team/big model')).toEqual(expected)
})

describe('A model is found by its name', () => {
  test.for([
    '/v1/models/team%2Fbig%20model',
    '/v1/models/team/big%20model',
    '/inference/models/team%2fbig%20model',
    '/inference/v1/models/team/big%20model',
    '/openai/models/team/big%20model?api-version=2024-10-21',
  ])('in a path: %s', async (path) => {
    await using gateway = await start()
    const { status, body } = await rawRequest(gateway.url, 'GET', path, bearing)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toEqual(expected)
  })

  test('that only a pattern takes', async () => {
    await using gateway = await start()
    const { body } = await rawRequest(gateway.url, 'GET', '/v1/models/sim-slow-5', bearing)
    expect(JSON.parse(body)).toMatchObject({
      id: 'sim-slow-5',
      deployments: [{ id: 'sim-*@simulator', provider: 'simulator' }],
    })
  })

  test.for([
    ['/v1/models/nobody', 404],
    ['/v1/models/team', 404],
    ['/v1/models/%zz', 404],
    ['/v1/models/', 404],
    ['/v1/models/team%252Fbig%20model', 404],
  ] as const)('or is none: %s', async ([path, status]) => {
    await using gateway = await start()
    const answer = await rawRequest(gateway.url, 'GET', path, bearing)
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } })
  })
})

test('Measurements of a deployment are listed', async () => {
  await using gateway = await start()
  const asked = JSON.stringify({ model: 'team/big model', prompt: 'p' })
  expect((await rawRequest(gateway.url, 'POST', '/v1/completions', bearing, asked)).status).toBe(200)
  await gateway.recorded()
  const { body } = await rawRequest(gateway.url, 'GET', '/v1/models/team/big%20model', bearing)
  const [away, simulator] = JSON.parse(body).deployments
  expect(away.health.success_rate).toBeLessThan(1)
  expect(simulator.health.success_rate).toBe(1)
})

test('A key is asked for', async () => {
  await using gateway = await start()
  for (const path of ['/v1/models', '/v1/models/sim-echo']) {
    expect((await rawRequest(gateway.url, 'GET', path)).status).toBe(401)
  }
})

test('A client of Anthropic’s format gets the list, and one model, in that', async () => {
  await using gateway = await startTestGateway()
  const headers = { 'anthropic-version': '2023-06-01' }
  type List = { readonly data: readonly { readonly id: string }[] }
  const list = (await (await fetch(`${gateway.url}/v1/models`, { headers })).json()) as List
  expect(list).toMatchObject({
    has_more: false,
    first_id: list.data[0]?.id,
    last_id: list.data.at(-1)?.id,
    data: expect.arrayContaining([
      {
        ...{ type: 'model', id: 'sim-echo', display_name: 'sim-echo', capabilities: null, line: null },
        ...{ created_at: expect.stringMatching(/^\d{4}-.*Z$/), lifecycle: 'active' },
        ...{ deprecated_at: null, retires_at: null, max_input_tokens: null, max_tokens: null },
      },
    ]),
  })
  const one = await (await fetch(`${gateway.url}/v1/models/sim-echo`, { headers })).json()
  expect(one).toEqual(list.data.find((model) => model.id === 'sim-echo'))
})
