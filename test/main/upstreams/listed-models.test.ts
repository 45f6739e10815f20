import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { removeDirectory } from '../../harness/directory.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { type HostedModel, type ListingHost, openListingHost } from '../../harness/listing-host.ts'
import { onlyFile } from '../../harness/only-file.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'listed-'))
})
afterEach(() => removeDirectory(directory))

const flash = { id: 'zai-org/GLM-5.3-Flash', price: { input: 0.15, output: 0.5 } }
const brandNew = { id: 'zai-org/GLM-6', price: { input: 2, output: 8 } }
const gone = 'meta-llama/Llama-3.3-70B-Instruct-Turbo'

describe('without routes of the operator’s', () => {
  test('a model that a provider lists goes there, though no release knew it', async () => {
    await using together = await openListingHost('together', [flash, brandNew])
    await using baseten = await openListingHost('baseten', [flash])
    await using scene = await open({ together, baseten })
    const { status, headers } = await scene.ask({ model: brandNew.id })
    expect({ status, provider: headers.get('x-pandotate-provider') }).toEqual({
      ...{ status: 200, provider: 'together' },
    })
    expect(headers.get('x-pandotate-cost-usd')).toBe('0.002800000')
    expect(baseten.asked).toEqual([])
    expect(await scene.models()).toEqual(expect.arrayContaining([brandNew.id, flash.id, 'glm-5.3-flash']))
  })

  test('one that appears later is had as soon as the list has it, and one that vanishes no longer', async () => {
    await using together = await openListingHost('together', [flash])
    await using scene = await open({ together })
    expect((await scene.ask({ model: brandNew.id })).status).toBeGreaterThanOrEqual(400)
    together.models = [flash, brandNew]
    await scene.readAgain()
    expect((await scene.ask({ model: brandNew.id })).status).toBe(200)
    together.models = [flash]
    await scene.readAgain()
    const calls = together.asked.length
    expect((await scene.ask({ model: brandNew.id })).status).toBeGreaterThanOrEqual(400)
    expect(together.asked).toHaveLength(calls)
  })

  test('a name whose place is no longer listed goes to the place that is left', async () => {
    await using together = await openListingHost('together', [flash])
    await using baseten = await openListingHost('baseten', [brandNew])
    await using scene = await open({ together, baseten })
    const { headers } = await scene.ask({ model: 'glm-5.3-flash' })
    expect(headers.get('x-pandotate-provider')).toBe('together')
    expect(baseten.asked).toEqual([])
    const { candidates } = await scene.explain({ model: 'glm-5.3-flash' })
    expect(candidates[0]).toMatchObject({
      provider: 'baseten',
      removed_by: { filter: 'gone', reason: 'is not listed at baseten' },
    })
  })

  test.for<[string, readonly HostedModel[], string]>([
    ['absent from the list', [flash], `is not listed at together since 2026-10-22`],
    [
      'listed at 0, which is to say not served',
      [flash, { id: gone, price: undefined }],
      `is listed without a price at together since 2026-10-22`,
    ],
  ])(
    'a model that is %s is told as gone, with its successor, and nobody is asked',
    async ([, models, told]) => {
      await using together = await openListingHost('together', models)
      await using scene = await open({ together })
      const { status, body } = await scene.ask({ model: gone })
      expect({ status, body }).toEqual({
        status: 404,
        body: {
          error: {
            ...{ type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
            message:
              `The model is no longer available: it ${told}; its successor there is ` +
              'meta-models/Muse-Glimmer-30B. The nearest available model is muse-glimmer-30b.',
          },
        },
      })
      expect(together.asked).toEqual([])
      const listed = await scene.models()
      expect(listed).not.toContain(gone)
    },
  )

  test('without a list, the catalogue says what is retired', async () => {
    await using together = await openListingHost('together', [flash])
    together.listStatus = 503
    await using scene = await open({ together })
    const { status, body } = await scene.ask({ model: 'gpt-oss-20b' })
    expect(status).toBe(404)
    expect(JSON.stringify(body)).toContain(
      'is retired at together since 2026-09-15; its successor there is Qwen/Qwen3.5-9B',
    )
    expect(JSON.stringify(body)).toContain('nearest available model is qwen-3.5-9b or gpt-oss-120b')
    expect((await scene.ask({ model: 'glm-5.3-flash' })).status).toBe(200)
  })

  test('a name that has no place here names its successors', async () => {
    await using together = await openListingHost('together', [flash, { ...flash, id: 'Qwen/Qwen3.5-9B' }])
    await using scene = await open({ together })
    const { status, body } = await scene.ask({ model: 'mistral-7b' })
    expect(status).toBe(401)
    expect(JSON.stringify(body)).toContain('The nearest available model is qwen-3.5-9b.')
  })

  test('with routes.successors a successor answers, and says so', async () => {
    const glimmer = { id: 'meta-models/Muse-Glimmer-30B', price: { input: 0.35, output: 1.5 } }
    await using together = await openListingHost('together', [flash, glimmer])
    await using scene = await open({ together }, { routes: { successors: true } })
    const { status, headers } = await scene.ask({ model: 'llama-3.3-70b' })
    expect({ status, successor: headers.get('x-pandotate-successor') }).toEqual({
      ...{ status: 200, successor: 'muse-glimmer-30b' },
    })
    expect(together.asked).toEqual([glimmer.id])
    expect((await scene.ask({ model: 'glm-5.3-flash' })).headers.get('x-pandotate-successor')).toBeNull()
  })

  test('an image does not go to a model whose list says that it takes text alone', async () => {
    const sees = { input_modalities: ['text', 'image'] }
    await using baseten = await openListingHost('baseten', [flash, { ...brandNew, row: sees }])
    await using scene = await open({ baseten })
    const messages = [
      {
        role: 'user',
        content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
      },
    ]
    const refused = await scene.ask({ model: flash.id, messages })
    expect(refused.status).toBe(400)
    expect(JSON.stringify(refused.body)).toContain('does not support images')
    expect(baseten.asked).toEqual([])
    expect((await scene.ask({ model: brandNew.id, messages })).status).toBe(200)
  })
})

describe('with routes of the operator’s', () => {
  const models = (model: string) => ({ mine: { deployments: [{ provider: 'together', model }] } })

  test('what they wrote is asked, listed or not', async () => {
    await using together = await openListingHost('together', [flash])
    await using scene = await open({ together }, { models: models(gone) })
    expect((await scene.ask({ model: 'mine' })).status).toBe(404)
    expect(together.asked).toEqual([gone])
    expect(scene.gateway.logged()).toMatch(
      /"deployments":\["meta-llama\/Llama-3\.3-70B-Instruct-Turbo@together"\].*routes name models that the provider does not list/,
    )
  })

  test('a listed model has no route of its own, unless that is wanted', async () => {
    await using together = await openListingHost('together', [flash, brandNew])
    {
      await using without = await open({ together }, { models: models(flash.id) })
      expect((await without.ask({ model: brandNew.id })).status).toBe(404)
    }
    await using scene = await open(
      { together },
      { models: { ...models(flash.id), 'zai-org/*': { deployments: [{ provider: 'simulator' }] } } },
      { routes: { listed: true } },
    )
    // A pattern of theirs goes first.
    const pattern = await scene.ask({ model: brandNew.id })
    expect(pattern.headers.get('x-pandotate-provider')).toBe('simulator')
    together.models = [flash, { ...brandNew, id: 'other/New' }]
    await scene.readAgain()
    expect((await scene.ask({ model: 'other/New' })).status).toBe(200)
  })
})

test('the bill of the host and the records agree, across a price that doubles', async () => {
  await using together = await openListingHost('together', [flash])
  await using scene = await open({ together })
  await scene.ask({ model: flash.id })
  await scene.ask({ model: 'glm-5.3-flash' })
  together.models = [{ ...flash, price: { input: 0.3, output: 1 } }]
  await scene.readAgain()
  await scene.ask({ model: flash.id })
  await scene.ask({ model: 'glm-5.3-flash' })
  expect(scene.gateway.records.map(({ costNanoUsd }) => costNanoUsd)).toEqual(together.bill)
  expect(together.bill).toEqual([200_000, 200_000, 400_000, 400_000])
  expect(scene.gateway.records.every(({ costEstimated }) => !costEstimated)).toBe(true)
})

test('every record says which price it used: its source, its day, and whether it is firm', async () => {
  await using together = await openListingHost('together', [{ ...flash, cachedTokens: 400 }])
  await using scene = await open({ together })
  const { headers } = await scene.ask({ model: flash.id })
  const day = new Date().toISOString().slice(0, 10)
  const { data } = await scene.generation(headers.get('x-request-id'))
  const listed = { price_source: 'listed', price_since: day, price_as_of: day, price_unconfirmed: false }
  expect(data).toMatchObject({
    cost_estimated: false,
    cost_upper_bound: true,
    attempts: [{ ...listed, upper_bound: true }],
  })
  expect(scene.gateway.logged()).toContain(
    `"priceSource":"listed","priceSince":"${day}","priceAsOf":"${day}"`,
  )
  expect(scene.gateway.logged()).toContain('"costUpperBound":true')
  const model = await (await fetch(`${scene.gateway.url}/v1/models/glm-5.3-flash`)).json()
  expect(model).toMatchObject({ pricing_source: { source: 'listed', since: day, as_of: day, firm: true } })
})

test('a price that was read too long ago is used, and its cost marked as an estimate', async () => {
  await using together = await openListingHost('together', [flash])
  together.listStatus = 500
  await using scene = await open({ together }, { catalog: { maxPriceAgeDays: 1 } })
  const { headers } = await scene.ask({ model: flash.id })
  expect(headers.get('x-pandotate-cost-usd')).toBe('0.000200000')
  const { data } = await scene.generation(headers.get('x-request-id'))
  expect(data).toMatchObject({
    cost_estimated: true,
    cost_nano_usd: 200_000,
    attempts: [
      {
        price_source: 'shipped',
        price_since: '2026-11-20',
        price_as_of: '2026-11-20',
        price_unconfirmed: true,
      },
    ],
  })
  const { candidates } = await scene.explain({ model: flash.id })
  expect(candidates[0]).toMatchObject({ presence: null, price: { firm: false, as_of: '2026-11-20' } })
})

test('health, and metrics, say how old what is known is', async () => {
  await using together = await openListingHost('together', [flash])
  await using baseten = await openListingHost('baseten', [flash])
  baseten.listStatus = 500
  await using scene = await open({ together, baseten })
  const health = (await (await fetch(`${scene.gateway.url}/health`)).json()) as { catalog: object }
  expect(health.catalog).toEqual({
    as_of: '2026-11-29',
    lists: [
      ...[{ provider: 'together', status: 'ok', models: 1, ...{ read_at: isTime, age_seconds: isNumber } }],
      { provider: 'baseten', status: 'failing', models: 0, read_at: null, age_seconds: null },
    ],
  })
  const metrics = await (await fetch(`${scene.gateway.url}/metrics`)).text()
  expect(metrics).toMatch(/^pandotate_provider_listed_models\{provider="together"\} 1$/m)
  expect(metrics).toMatch(/^pandotate_provider_list_consecutive_failures\{provider="baseten"\} [1-9]/m)
  expect(metrics).toMatch(/^pandotate_provider_list_age_seconds\{provider="together"\} [\d.]+$/m)
  expect(metrics).toMatch(/^pandotate_price_age_seconds [\d.]+$/m)
})

const isTime = expect.stringMatching(/^\d{4}-/)
const isNumber = expect.any(Number)

type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown }

type Scene = AsyncDisposable & {
  readonly gateway: TestGateway
  ask(body: object): Promise<Answer>
  explain(body: object): Promise<{ candidates: readonly object[] }>
  models(): Promise<readonly string[]>
  generation(id: string | null): Promise<{ data: object }>
  /** Has every list read once more. */
  readAgain(): Promise<void>
}

/** A gateway with a key for each of the hosts, once it has asked all of them for their lists. */
async function open(
  hosts: { readonly [name in 'together' | 'baseten']?: ListingHost },
  ...sections: readonly object[]
): Promise<Scene> {
  const written = Object.entries(hosts).map(([name, { origin }]) => [
    name,
    { apiKey: `key-of-${name}`, baseUrl: `${origin}/v1`, retries: 0 },
  ])
  const configNow = (turn: number): Config =>
    loadConfig({
      environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0', DATA_DIR: directory },
      readFile: onlyFile(
        JSON.stringify({
          ...Object.assign({}, ...sections),
          slowThresholdMs: 1000 + turn,
          providers: { ...Object.fromEntries(written), pandotate: { retries: turn % 2 } },
        }),
      ),
      providers,
    })
  const gateway = await startTestGateway(
    { ...configNow(0), drain: { delayMs: 0, graceMs: 1000 } },
    { lists: true },
  )
  const readAll = async (before: readonly number[]) => {
    const all = Object.values(hosts)
    while (all.some((host, at) => host.listed() <= (before[at] ?? 0))) await new Promise(setImmediate)
    while ((await listsOf(gateway)).some(({ status }) => status === 'asked')) await new Promise(setImmediate)
  }
  await readAll([])
  let turn = 0
  const post = (path: string, body: object) =>
    fetch(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...body }),
    })
  return {
    gateway,
    async ask(body) {
      const response = await post('chat/completions', body)
      return { status: response.status, headers: response.headers, body: await response.json() }
    },
    explain: async (body) => (await (await post('route/explain', body)).json()) as { candidates: object[] },
    async generation(id) {
      return (await (await fetch(`${gateway.url}/v1/generation?id=${id}`)).json()) as { data: object }
    },
    async models() {
      const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: { id: string }[] }
      return data.map(({ id }) => id)
    },
    async readAgain() {
      const before = Object.values(hosts).map((host) => host.listed())
      turn++
      const next = configNow(turn)
      const changed = next.providers.map((one) =>
        one.name in hosts
          ? { ...one, settings: { ...(one.settings as object), retryDelayMs: 200 + turn } }
          : one,
      )
      gateway.gateway.reload(() => ({
        ...next,
        providers: changed,
        catalog: { ...next.catalog, lists: true },
      }))
      await readAll(before)
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}

async function listsOf({ url }: TestGateway): Promise<readonly { status: string }[]> {
  const health = (await (await fetch(`${url}/health`)).json()) as { catalog: { lists: { status: string }[] } }
  return health.catalog.lists
}
