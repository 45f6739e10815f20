import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { usdText } from '../../src/core/model/price.ts'
import { providers } from '../../src/providers/all.ts'
import type { SimulatedServer } from '../../src/simulator/server/simulated-server.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

const messages = [{ role: 'user', content: 'one two three' }]

describe('a model at two places', () => {
  test('runs where the caller wants it, and the wish goes no further', async () => {
    await using scene = await openScene()
    const body = { model: 'm', messages, provider: { order: ['cheap'] }, models: ['n'], seed: 7 }
    const { headers, status } = await scene.ask(body)
    expect(status).toBe(200)
    expect(headers.get('x-pandotate-provider')).toBe('cheap')
    const [sent] = scene.cheap.requests
    expect(JSON.parse(sent?.body ?? '')).toEqual({ model: 'cheap/sim-echo', messages, seed: 7 })
  })

  test.for<[string, Record<string, string>, string]>([
    ['by name', { 'x-pandotate-provider-only': 'cheap' }, 'cheap'],
    ['by price', { 'x-pandotate-strategy': 'cheapest' }, 'cheap'],
    ['as written', {}, 'dear'],
  ])('runs where headers say: %s', async ([, headers, name]) => {
    await using scene = await openScene()
    const answer = await scene.ask({ model: 'm', messages }, headers)
    expect(answer.headers.get('x-pandotate-provider')).toBe(name)
  })

  test('is found by its alias and by a suffix', async () => {
    await using scene = await openScene()
    expect((await scene.ask({ model: 'em', messages })).headers.get('x-pandotate-provider')).toBe('dear')
    const floor = await scene.ask({ model: 'm:floor', messages })
    expect(floor.headers.get('x-pandotate-provider')).toBe('cheap')
  })

  test('takes the other when one fails, and costs what the bills say', async () => {
    await using scene = await openScene('sim-status-503')
    const { headers, status } = await scene.ask({ model: 'm', messages })
    expect(status).toBe(200)
    expect(headers.get('x-pandotate-attempts')).toBe('2')
    const record = await scene.gateway.recorded()
    const [line] = scene.cheap.bill()
    expect(line).toMatchObject({ attempt: `${record.id}-1`, nanoUsd: record.costNanoUsd })
    expect(headers.get('x-pandotate-cost-usd')).toBe(usdText(record.costNanoUsd ?? -1))
    expect(record.savedNanoUsd).toBeGreaterThan(0)
  })

  test('streams to a caller that requested no usage, and is still paid for', async () => {
    await using scene = await openScene()
    const { text } = await scene.ask({ model: 'm', messages, stream: true })
    expect(text).toContain('data: [DONE]')
    expect(text).not.toContain('"usage":{')
    const record = await scene.gateway.recorded()
    expect(record.costNanoUsd).toBe(scene.dear.bill()[0]?.nanoUsd)
    expect(record).toMatchObject({ costEstimated: false, savedNanoUsd: 0 })
  })

  test.for<[string, object, string | null]>([
    ['provider', { provider: { only: ['nowhere'] } }, 'provider'],
    ['a wish that is none', { provider: { sort: 'beauty' } }, 'provider.sort'],
    ['a cap nobody keeps', { provider: { max_price: { prompt: 0.01 } } }, 'provider.max_price'],
  ])('refuses %s that cannot be', async ([, change, param]) => {
    await using scene = await openScene()
    const { status, body } = await scene.ask({ model: 'm', messages, ...change })
    expect(status).toBe(400)
    expect(body).toMatchObject({ error: { param } })
  })
})

test('an answer that is kept is reported as such, and costs nothing', async () => {
  await using scene = await openScene('sim-echo', { cache: { enabled: true } })
  const ask = () => scene.ask({ model: 'm', messages, temperature: 0 })
  const first = await ask()
  const second = await ask()
  expect(second.body).toEqual(first.body)
  expect(scene.dear.hits()).toBe(1)
  expect(first.headers.get('x-pandotate-cache')).toBeNull()
  expect(second.headers.get('x-pandotate-cache')).toBe('hit')
  expect(second.headers.get('x-pandotate-cost-usd')).toBe('0.000000000')
})

test('prices are those the provider lists, when they are asked for', async () => {
  await using server = await simulateTogether({ host: '127.0.0.1', port: 0 })
  const model = 'openai/gpt-oss-20b'
  const config = configOf({
    providers: { own: { type: 'together', baseUrl: `${server.origin}/v1` } },
    models: { m: { deployments: [{ provider: 'own', model }] } },
  })
  await using gateway = await startTestGateway(config, { lists: true })
  while (!gateway.logged().includes('the provider listed its models')) await new Promise(setImmediate)
  await fetch(`${gateway.url}/v1/chat/completions`, asJson({ model: 'm', messages }))
  const record = await gateway.recorded()
  expect(record.costNanoUsd).toBe(server.bill()[0]?.nanoUsd)
  expect(record.attempts[0]?.price).toMatchObject({
    inputNanoUsdPerMillion: 50_000_000,
    outputNanoUsdPerMillion: 200_000_000,
  })
})

type Answer = { status: number; headers: Headers; text: string; body: unknown }

type Scene = AsyncDisposable & {
  readonly gateway: TestGateway
  readonly dear: SimulatedServer
  readonly cheap: SimulatedServer
  ask(body: object, headers?: Record<string, string>): Promise<Answer>
}

/** Model `m` at two places, the dear one first. */
async function openScene(dearModel = 'sim-echo', sections: object = {}): Promise<Scene> {
  const [dear, cheap] = [await openPlace(`dear/${dearModel}`, 2), await openPlace('cheap/sim-echo', 0.5)]
  const at = ({ origin }: SimulatedServer) => ({ type: 'together', baseUrl: `${origin}/v1`, retries: 0 })
  const config = configOf({
    ...sections,
    providers: { dear: at(dear), cheap: at(cheap) },
    models: {
      m: {
        aliases: ['em'],
        deployments: [
          { provider: 'dear', model: `dear/${dearModel}`, price: { input: 2, output: 2 } },
          { provider: 'cheap', model: 'cheap/sim-echo', price: { input: '0.5', output: '0.5' } },
        ],
      },
    },
  })
  const gateway = await startTestGateway(config)
  return {
    ...{ gateway, dear, cheap },
    async ask(body, headers) {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, asJson(body, headers))
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') === true
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : text,
      }
    },
    async [Symbol.asyncDispose]() {
      for (const part of [gateway, dear, cheap]) await part[Symbol.asyncDispose]()
    },
  }
}

function openPlace(id: string, usdPerMillion: number): Promise<SimulatedServer> {
  const prices = { input: usdPerMillion, output: usdPerMillion }
  const models = [{ id, type: 'chat', contextTokens: 32_768, engine: 'b', ...prices }] as const
  return simulateTogether({ host: '127.0.0.1', port: 0, models })
}

function configOf(file: object): Config {
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}

function asJson(body: object, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}
