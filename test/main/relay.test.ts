import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'
import { answer, startRawServer } from '../harness/raw-server.ts'

const model = 'intfloat/multilingual-e5-large-instruct'

describe('embeddings', () => {
  test('are those of the upstream, paid for as it charges, through the SDK that asks for base64', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
    await using gateway = await startTestGateway(configOf({ together: { baseUrl: `${together.origin}/v1` } }))
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
    const { data, usage } = await client.embeddings.create({ model, input: ['one two', 'three'] })
    expect(data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
      [0, 16],
      [1, 16],
    ])
    expect(Math.hypot(...(data[0]?.embedding ?? []))).toBeCloseTo(1, 5)
    const record = await gateway.recorded()
    // Together tells no usage: what was counted here is said to be.
    expect(record).toMatchObject({ kind: 'embeddings', usageEstimated: true, costEstimated: true })
    expect(usage.prompt_tokens).toBe(record.usage?.prompt_tokens)
    expect(record.costNanoUsd).toBe((record.usage?.prompt_tokens ?? 0) * 20)
  })

  test('of token ids are made of the text they stand for, where it takes text alone', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
    await using gateway = await startTestGateway(configOf({ together: { baseUrl: `${together.origin}/v1` } }))
    const { status } = await ask(gateway.url, 'embeddings', { model, input: [[15339, 1917], [1917]] })
    expect(status).toBe(200)
    expect(JSON.parse(together.requests[0]?.body ?? '')).toEqual({ model, input: ['hello world', ' world'] })
    expect([...(await gateway.recorded()).converted]).toEqual(['token ids to text (cl100k_base)'])
  })

  test('of token ids are those of their text at the simulator, and at a server that is said to take text alone', async () => {
    await using simulated = await startTestGateway()
    const texts = await ask(simulated.url, 'embeddings', {
      model: 'sim-echo',
      input: ['hello world', ' world'],
    })
    const ids = { model: 'sim-echo', input: [[15339, 1917], [1917]] }
    const { status, body } = await ask(simulated.url, 'embeddings', ids)
    expect([status, body.data]).toEqual([200, texts.body.data])
    expect([...(await simulated.recorded(2)).converted]).toEqual(['token ids to text (cl100k_base)'])

    const row = { object: 'embedding', index: 0, embedding: [1] }
    await using server = await startRawServer((socket) =>
      socket.end(answer(JSON.stringify({ object: 'list', data: [row] }))),
    )
    const at = { type: 'openai-compatible', baseUrl: `${server.origin}/v1`, quirks: { takesTokenIds: false } }
    await using gateway = await startTestGateway(configOf({ at }))
    expect(await ask(gateway.url, 'embeddings', { model, input: [15339, 1917] })).toMatchObject({
      status: 200,
    })
    expect(JSON.parse(server.requests[0]?.body.toString() ?? '')).toEqual({ model, input: 'hello world' })
  })

  test('of more texts than fit are asked for in parts, and come in order', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
    const config = configOf({ together: { baseUrl: `${together.origin}/v1` } }, { inputsPerRequest: 2 })
    await using gateway = await startTestGateway(config)
    const input = ['a', 'b', 'c', 'd', 'e']
    const { body } = await ask(gateway.url, 'embeddings', { model, input })
    const alone = await Promise.all(
      input.map((text) => ask(gateway.url, 'embeddings', { model, input: text })),
    )
    const vectors = alone.map(({ body: one }, index) => ({ ...one.data[0], index }))
    expect(body.data).toEqual(vectors)
    expect(together.hits()).toBe(3 + 5)
    expect(gateway.records.find(({ parts }) => parts === 3)?.attempts).toHaveLength(3)
  })

  test('of the length that was requested are had elsewhere where one gives another, or are refused', async () => {
    const row = { object: 'embedding', index: 0, embedding: [1, 0, 0, 0] }
    const text = JSON.stringify({
      object: 'list',
      data: [row],
      model: 'm',
      usage: { prompt_tokens: 3, total_tokens: 3 },
    })
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
    await using four = await startRawServer((socket) => socket.end(answer(text)))
    const ignoring = { together: { baseUrl: `${together.origin}/v1` } }
    const heeding = { four: { type: 'openai-compatible', baseUrl: `${four.origin}/v1` } }
    await using both = await startTestGateway(configOf({ ...ignoring, ...heeding }))
    const asked = { model, input: 'one two', dimensions: 4 }
    const { status, body } = await ask(both.url, 'embeddings', asked)
    expect([status, body.data]).toEqual([200, [row]])
    const { attempts, costEstimated } = await both.recorded()
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['unsupported', 'ok'])
    // The unused answer was charged too.
    expect(together.bill()).toHaveLength(1)
    expect(costEstimated).toBe(true)

    await using alone = await startTestGateway(configOf(ignoring))
    const refused = await ask(alone.url, 'embeddings', asked)
    expect([refused.status, refused.body.error.param]).toEqual([400, 'dimensions'])
    expect(refused.body.error.code).toBe('unsupported_parameter')
    const fitting = await ask(alone.url, 'embeddings', { ...asked, dimensions: 16 })
    expect(fitting.body.data[0]?.embedding).toHaveLength(16)
  })

  test('are had elsewhere where one fails, and unknown fields go both ways', async () => {
    const told = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1], extra: 1 }] }
    const usage = { prompt_tokens: 3, total_tokens: 3, odd: true }
    const text = JSON.stringify({ ...told, model: 'm', usage, more: 9007199254740993n.toString() })
    await using bad = await startRawServer((socket) => socket.end(answer('{}', { status: 503 })))
    await using good = await startRawServer((socket) => socket.end(answer(text)))
    const type = 'openai-compatible'
    const config = configOf({
      bad: { type, baseUrl: `${bad.origin}/v1`, retries: 0 },
      good: { type, baseUrl: `${good.origin}/v1` },
    })
    await using gateway = await startTestGateway(config)
    const sent = `{"model": "${model}", "input": "x", "strange": 9007199254740993}`
    const response = await fetch(`${gateway.url}/inference/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: sent,
    })
    expect(await response.text()).toBe(text)
    expect(good.requests[0]?.body.toString()).toBe(sent)
    expect(response.headers.get('x-pandotate-provider')).toBe('good')
    expect((await gateway.recorded()).attempts.map(({ outcome }) => outcome)).toEqual(['overloaded', 'ok'])
  })

  test.for<[string, string | undefined, object, number, string]>([
    ['an answer that is none', '{"data":[]}', { model, input: 'x' }, 502, 'upstream_invalid_response'],
    ['an error with status 200', '{"error":"no"}', { model, input: 'x' }, 502, 'upstream_error'],
    ['no input', undefined, { model }, 400, 'missing_required_parameter'],
    ['no texts', undefined, { model, input: [] }, 400, 'empty_array'],
    ['texts that are none', undefined, { model, input: [{}] }, 400, 'invalid_type'],
  ])('fail clearly: %s', async ([, reply = '', body, status, code]) => {
    await using server = await startRawServer((socket) => socket.end(answer(reply)))
    const provider = { type: 'openai-compatible', baseUrl: `${server.origin}/v1`, retries: 0 }
    await using gateway = await startTestGateway(configOf({ provider }))
    const answered = await ask(gateway.url, 'embeddings', body)
    expect([answered.status, answered.body.error.code]).toEqual([status, code])
  })

  test('whose tokens cannot be so many are counted here, and said to be', async () => {
    const usage = { prompt_tokens: -3, total_tokens: 1e21 }
    const text = JSON.stringify({ data: [{ object: 'embedding', index: 0, embedding: [1] }], usage })
    await using server = await startRawServer((socket) => socket.end(answer(text)))
    const provider = { type: 'openai-compatible', baseUrl: `${server.origin}/v1` }
    await using gateway = await startTestGateway(configOf({ provider }))
    const { body } = await ask(gateway.url, 'embeddings', { model, input: 'one two' })
    expect(body.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 })
    const record = await gateway.recorded()
    expect(record).toMatchObject({ usageEstimated: true, usage: { prompt_tokens: 2, completion_tokens: 0 } })
    expect([...record.flags]).toEqual(['usage_clamped'])
  })

  test('of a caller who leaves are given up', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
    await using hung = await startRawServer(() => undefined)
    const provider = { type: 'openai-compatible', baseUrl: `${hung.origin}/v1` }
    await using gateway = await startTestGateway(configOf({ provider }))
    const controller = new AbortController()
    const asked = fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'x' }),
      signal: controller.signal,
    })
    await expect.poll(() => hung.requests.length).toBe(1)
    controller.abort()
    await expect(asked).rejects.toThrow()
    expect(await gateway.recorded()).toMatchObject({ outcome: 'left', status: 499 })
    expect(together.hits()).toBe(0)
  })
})

test('the simulator has vectors, and fails by name', async () => {
  await using gateway = await startTestGateway()
  const fine = await ask(gateway.url, 'embeddings', { model: 'sim-echo', input: 'x', dimensions: 16 })
  expect(fine.body.data[0]?.embedding).toHaveLength(16)
  const failed = await ask(gateway.url, 'embeddings', { model: 'sim-status-429', input: 'x' })
  expect(failed.status).toBe(429)
})

test('documents come in the order they suit a query', async () => {
  await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
  await using gateway = await startTestGateway(configOf({ together: { baseUrl: `${together.origin}/v1` } }))
  const documents = ['about dogs', 'about cats and cats', 'cats']
  const { body } = await ask(gateway.url, 'rerank', {
    model: 'Salesforce/Llama-Rank-V1',
    query: 'cats',
    documents,
  })
  expect(body.results.map(({ index }) => index)).toEqual([1, 2, 0])
  const record = await gateway.recorded()
  expect(record.costNanoUsd).toBe(together.bill()[0]?.nanoUsd)
  // By the catalogue's last price of a model that is retired.
  expect(record).toMatchObject({ kind: 'rerank', costEstimated: true })
})

test('an upstream without vectors is skipped, and said to be', async () => {
  await using gateway = await startTestGateway({
    providers: [{ name: 'pandotate', type: 'pandotate', settings: pandotate }],
    routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] }],
    demo: false,
  })
  const { status, body } = await ask(gateway.url, 'embeddings', { model, input: 'x' })
  expect([status, body.error.code]).toEqual([400, 'unsupported_endpoint'])
})

const pandotate = loadConfig({
  environment: { PANDOTATE_API_KEY: 'pk_x' },
  readFile: noFile,
  providers,
}).providers.find(({ name }) => name === 'pandotate')?.settings

function noFile(): never {
  throw Object.assign(new Error('none'), { code: 'ENOENT' })
}

function configOf(written: Readonly<Record<string, object>>, deployment: object = {}): Partial<Config> {
  const deployments = Object.keys(written).map((provider) => ({ provider, ...deployment }))
  const models = { [model]: { deployments }, 'Salesforce/Llama-Rank-V1': { deployments } }
  const file = JSON.stringify({ providers: written, models })
  const { providers: read, routes } = loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml' },
    readFile: onlyFile(file),
    providers,
  })
  return { providers: read, routes, demo: false }
}

type Answered = {
  readonly status: number
  /** The fields of answers and errors that these tests read. */
  readonly body: {
    readonly data: readonly { readonly embedding: readonly number[] }[]
    readonly results: readonly { readonly index: number }[]
    readonly usage: object
    readonly error: { readonly code: string; readonly param: string }
  }
}

async function ask(url: string, path: string, body: object): Promise<Answered> {
  const response = await fetch(`${url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Answered['body'] }
}
