import { describe, expect, test } from 'vitest'
import type { CatalogModel } from '../../../src/catalog/catalog.ts'
import { createPriceBook } from '../../../src/catalog/price-book.ts'
import { shippedCatalog } from '../../../src/catalog/shipped.ts'
import { type Config, loadConfig } from '../../../src/config.ts'
import { createDrains } from '../../../src/core/health/drains.ts'
import type { Deployment } from '../../../src/core/model/ports.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { createRoutes } from '../../../src/main/upstreams/deployments.ts'
import { providers } from '../../../src/providers/all.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { type HandClock, handClock } from '../../harness/core/pool.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'
import { scriptedUpstream } from '../../harness/scripted-upstream.ts'

const november = Date.parse('2026-11-23')
const shipped = shippedCatalog()
const dayMs = 86_400_000

describe('what a deployment costs is by', () => {
  const groq = { type: 'openai-compatible', preset: 'groq' }
  const mistral = { type: 'openai-compatible', preset: 'mistral' }
  const rows: [string, object, string, number | undefined][] = [
    ['its type’s list', { type: 'together' }, 'openai/gpt-oss-120b', 0.15],
    ['its type’s list', { type: 'baseten' }, 'openai/gpt-oss-120b', 0.1],
    ['nothing, at a place of one’s own', at({ model: 'abc' }), 'openai/gpt-oss-120b', undefined],
    ['nothing, at a chain of one’s own', at({ chain: 'abc' }), 'openai/gpt-oss-120b', undefined],
    ['its preset’s list', mistral, 'codestral-latest', 0.3],
    ['its preset’s list, which may not have it', mistral, 'openai/gpt-oss-120b', undefined],
    ['its preset’s list, which may not be there', groq, 'openai/gpt-oss-120b', undefined],
    [
      'nothing, without a preset',
      { type: 'openai-compatible', baseUrl: 'http://a' },
      'mistral-nemo',
      undefined,
    ],
  ]
  test.for(rows)('%s: %j, %s', ([, provider, model, usd]) => {
    const [deployment] = deploymentsOf({ p: provider }, { m: [{ provider: 'p', model }] })
    const price = deployment?.price.inputNanoUsdPerMillion
    expect(price).toBe(usd === undefined ? undefined : Math.round(usd * 1e9))
  })

  test.for<[string, object, object, number | undefined]>([
    ['a second on the hardware it is said to run on', at({ model: 'abc' }), { gpu: 'H100' }, 1_805_556],
    ['as many seconds as there are cards', at({ model: 'abc' }), { gpu: 'H100', gpus: 2 }, 3_611_112],
    ['hardware of its own type', { type: 'runpod', endpointId: 'a' }, { gpu: 'H100' }, 1_160_000],
  ])('%s: %j, %j', ([, provider, price, nanoUsd]) => {
    const [deployment] = deploymentsOf({ p: provider }, { m: [{ provider: 'p', price }] })
    expect(deployment?.price).toEqual({ ...unknownPrice, nanoUsdPerSecond: nanoUsd })
    expect(deployment?.priceOrigin).toMatchObject({ source: 'shipped', sinceEpochMs: expect.any(Number) })
  })

  test('the operator’s word of the day, and the list before its first', () => {
    const clock = handClock()
    const today = Math.floor(clock.epochMs() / dayMs) * dayMs
    clock.move(today + dayMs - 1 - clock.epochMs())
    const days = [1, 2].map((day) => new Date(today + day * dayMs).toISOString().slice(0, 10))
    const shipped = [{ provider: 'together', model: 'm', sources: ['litellm-1120'], price: { input: '9' } }]
    const price = days.map((from, at) => ({ from, input: at + 1 }))
    const made = (name: string, deployment: object) =>
      deploymentsOf(
        { p: { type: 'together' } },
        { [name]: [{ provider: 'p', price, ...deployment }] },
        clock,
        shipped,
      )
    const [named] = made('m', {})
    const [unnamed] = made('*', {})
    const told = () =>
      [named, unnamed, unnamed?.forModel?.('m')].map((one) => [
        one?.price.inputNanoUsdPerMillion,
        one?.priceOrigin?.source,
      ])
    const shippedAt9 = [9e9, 'shipped']
    expect(told()).toEqual([shippedAt9, [undefined, undefined], shippedAt9])
    // A call from a moment ago does not use yesterday's price today.
    clock.move(1)
    expect(told()).toEqual(Array.from({ length: 3 }, () => [1e9, 'own']))
    clock.move(dayMs)
    expect(told()).toEqual(Array.from({ length: 3 }, () => [2e9, 'own']))
  })

  test('what the operator says of a place of their own', () => {
    const own = { provider: 'p', price: { perSecond: '0.0018' } }
    const [deployment] = deploymentsOf({ p: at({ model: 'abc' }) }, { m: [own] })
    expect(deployment?.price).toEqual({ ...unknownPrice, nanoUsdPerSecond: 1_800_000 })
  })
})

describe('a deployment that goes by the caller’s spelling', () => {
  const anything = { '*': [{ provider: 'p' }] }

  test('costs, and holds, what the model asked for does', () => {
    const [deployment] = deploymentsOf({ p: { type: 'together' } }, anything)
    expect(deployment?.price).toEqual(unknownPrice)
    const named = deployment?.forModel?.('openai/gpt-oss-120b')
    expect(named).toMatchObject({
      ...{ id: deployment?.id, upstream: deployment?.upstream, upstreamModel: 'openai/gpt-oss-120b' },
      ...{ price: { inputNanoUsdPerMillion: 150_000_000 }, traits: { contextTokens: 131_072 } },
    })
    expect(deployment?.forModel?.('unheard-of')).toMatchObject({ price: unknownPrice, traits: {} })
  })

  test('is the same one for the same model, and follows its price', () => {
    const clock = handClock()
    const dated: CatalogModel[] = ['1', '2'].map((input, day) => ({
      ...{ provider: 'together', model: 'm', sources: ['litellm-1120'] },
      from: new Date(clock.epochMs() + day * dayMs).toISOString().slice(0, 10),
      price: { input },
    }))
    const [deployment] = deploymentsOf({ p: { type: 'together' } }, anything, clock, dated)
    const named = deployment?.forModel?.('m')
    expect(named?.price.inputNanoUsdPerMillion).toBe(1e9)
    clock.move(dayMs)
    expect(deployment?.forModel?.('m')).toBe(named)
    expect(named?.price.inputNanoUsdPerMillion).toBe(2e9)
  })

  test.for<[string, object, object]>([
    ['costs what the operator says', { provider: 'p', price: { input: 1 } }, { type: 'together' }],
    ['has an unknown price', { provider: 'p' }, at({ model: 'abc' })],
  ])('is distinguished from others by the model, though it %s', ([, deployment, provider]) => {
    const [made] = deploymentsOf({ p: provider }, { '*': [deployment] })
    const named = made?.forModel?.('m')
    expect(named).toMatchObject({ id: made?.id, upstreamModel: 'm', madeFor: 'm', price: made?.price })
    expect(made?.madeFor).toBeUndefined()
  })

  test('is none where its model is named', () => {
    const deployment = { provider: 'p', model: 'openai/gpt-oss-20b' }
    const [made] = deploymentsOf({ p: { type: 'together' } }, { '*': [deployment] })
    expect(made?.forModel).toBeUndefined()
    expect(made?.madeFor).toBeUndefined()
  })

  test('is not kept for names that are none, nor for ever so many', () => {
    const [deployment] = deploymentsOf({ p: { type: 'together' } }, anything)
    const first = deployment?.forModel?.('first')
    const long = 'x'.repeat(257)
    expect(deployment?.forModel?.(long)).not.toBe(deployment?.forModel?.(long))
    expect(deployment?.forModel?.('first')).toBe(first)
    for (let count = 0; count < 1000; count++) deployment?.forModel?.(`model-${count}`)
    expect(deployment?.forModel?.('first')).not.toBe(first)
  })
})

describe('under a pattern', () => {
  const [dear, cheap] = ['dear/sim-echo', 'cheap/sim-echo'] as const
  const listed = (id: string, usd: number) =>
    ({ id, type: 'chat', contextTokens: 4096, engine: 'b', input: usd, output: usd }) as const

  test.for([1, 2])('the record, the explanation and a cap agree on the price, places: %i', async (places) => {
    await using server = await simulateTogether({
      ...{ host: '127.0.0.1', port: 0, models: [listed(dear, 4), listed(cheap, 1)] },
    })
    const provider = { type: 'together', baseUrl: `${server.origin}/v1` }
    const names = ['one', 'two'].slice(0, places)
    const config = configOf({
      providers: Object.fromEntries(names.map((name) => [name, provider])),
      models: { '*': { deployments: names.map((name) => ({ provider: name })) } },
    })
    await using gateway = await startTestGateway(config, { lists: true })
    while (gateway.logged().split('the provider listed its models').length <= places)
      await new Promise(setImmediate)
    let calls = 0
    const ask = async (path: string, body: object) => {
      if (path === 'chat/completions') calls++
      const messages = [{ role: 'user', content: 'one two three' }]
      const response = await fetch(`${gateway.url}/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages, ...body }),
      })
      return { status: response.status, body: (await response.json()) as { candidates?: unknown[] } }
    }
    for (const [model, usd] of [
      [dear, 4],
      [cheap, 1],
    ] as const) {
      await ask('chat/completions', { model })
      const record = await gateway.recorded(calls)
      expect(record.attempts[0]?.price.inputNanoUsdPerMillion).toBe(usd * 1e9)
      expect(record).toMatchObject({ costNanoUsd: server.bill().at(-1)?.nanoUsd, savedNanoUsd: 0 })
      const { candidates } = (await ask('route/explain', { model })).body
      expect(candidates).toHaveLength(places)
      expect(candidates?.[0]).toMatchObject({
        upstream_model: model,
        expected_cost_nano_usd: expect.any(Number),
      })
      const capped = await ask('chat/completions', { model, provider: { max_price: { prompt: 2 } } })
      expect(capped.status).toBe(usd > 2 ? 400 : 200)
    }
    const stands = { model: dear, models: [cheap], provider: { max_price: { prompt: 2 } } }
    expect((await ask('chat/completions', stands)).status).toBe(200)
    expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toMatchObject({ model: cheap })
  })
})

function at(deployment: object): object {
  return { type: 'baseten', deployment }
}

/** The deployments of every route that some models make, at upstreams that are never asked. */
function deploymentsOf(
  sections: Readonly<Record<string, object>>,
  models: Readonly<Record<string, readonly object[]>>,
  clock: HandClock = { ...handClock(), epochMs: () => november },
  rows: readonly CatalogModel[] = shipped.models,
): readonly Deployment[] {
  const routes = Object.entries(models).map(([name, deployments]) => [name, { deployments }])
  const config = configOf({ providers: sections, models: Object.fromEntries(routes) })
  const upstreams = new Map(config.providers.map(({ name }) => [name, scriptedUpstream([[]], { name })]))
  const book = createPriceBook({ ...shipped, models: rows })
  return createRoutes({ config, upstreams, book, clock, drains: createDrains() }).flatMap(
    ({ deployments }) => deployments,
  )
}

function configOf(file: object): Config {
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}
