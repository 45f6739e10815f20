import { encode } from 'gpt-tokenizer/encoding/cl100k_base'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../../src/core/authenticate.ts'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import { type PriceOrigin, unknownPrice } from '../../../src/core/model/price.ts'
import { createPlanner } from '../../../src/core/plan/planner.ts'
import { createRouter } from '../../../src/core/plan/router.ts'
import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'
import { createResponseStore } from '../../../src/core/reuse/response-store.ts'
import { dialectsWith, relays } from '../../../src/dialects/all.ts'
import { createBodyReader } from '../../../src/http/call/body.ts'
import { serveExplain } from '../../../src/http/routes/explain.ts'
import { createTokenizer } from '../../../src/tokenizers/cl100k.ts'
import { createEncoder } from '../../../src/tokenizers/encoder.ts'
import { handClock } from '../../harness/core/pool.ts'
import { mount } from '../../harness/mounted-route.ts'
import { aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const path = '/v1/route/explain'
const prompted = { model: 'some-model', prompt: 'Say hello.', max_tokens: 10 }
const chatted = { model: 'some-model', messages: [{ role: 'user', content: 'Hi.' }], max_tokens: 10 }

describe('an explanation', () => {
  test('names the route, each candidate with its expected cost and score, and the plan', async () => {
    await using explaining = await start()
    const { status, headers, body } = await explaining.post<Explained>(path, prompted)
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toBe('req_of_the_question')
    const [dear, cheap, unpriced] = body.candidates
    const nanoUsd = (body.prompt_tokens_estimated + body.expected_completion_tokens) * 1000
    expect(body).toEqual({
      model: 'some-model',
      pattern: 'some-*',
      strategy: 'cheapest',
      dialect: 'completions',
      prompt_tokens_estimated: expect.any(Number),
      expected_completion_tokens: 10,
      candidates: [dear, cheap, unpriced],
      plan: ['m@cheap', 'm@dear', 'm@unpriced'],
      hold: null,
    })
    expect(cheap).toEqual({
      deployment: 'm@cheap',
      provider: 'cheap',
      upstream_model: 'some-model',
      presence: null,
      price: {
        ...{ input_nano_usd_per_million: 1e9, output_nano_usd_per_million: 1e9 },
        ...{ cached_input_nano_usd_per_million: null, nano_usd_per_second: null, nano_usd_per_request: null },
        ...{ source: 'shipped', since: '2026-08-18', as_of: '2026-11-20', said_by: 'a list', firm: false },
      },
      expected_cost_nano_usd: nanoUsd,
      expected_cost_usd: `0.${String(nanoUsd).padStart(9, '0')}`,
      score: nanoUsd,
      breaker: 'closed',
      share: 1,
      removed_by: null,
    })
    expect(dear?.expected_cost_nano_usd).toBe(2 * nanoUsd)
    expect(dear?.price).toMatchObject({ source: null, since: null, said_by: null, firm: null })
    expect(unpriced).toMatchObject({ expected_cost_nano_usd: null, expected_cost_usd: null, score: null })
    expect(unpriced?.price).toBeNull()
  })

  test('sends nothing upstream', async () => {
    await using explaining = await start()
    await explaining.post<Explained>(path, prompted)
    expect(explaining.upstreams.flatMap(({ calls }) => calls)).toEqual([])
  })

  test('says which filter removed a candidate', async () => {
    await using explaining = await start()
    const { body } = await explaining.post<Explained>(path, { ...chatted, provider: { ignore: ['cheap'] } })
    expect(body.plan).toEqual(['m@dear', 'm@unpriced'])
    expect(body.candidates[1]?.removed_by).toEqual({ filter: 'steering', reason: expect.any(String) })
  })

  test('of a call that nobody can take has no plan, and is no error', async () => {
    await using explaining = await start()
    const asked = { ...chatted, provider: { ignore: ['cheap', 'dear', 'unpriced'] } }
    const { status, body } = await explaining.post<Explained>(path, asked)
    expect(status).toBe(200)
    expect(body.plan).toEqual([])
    expect(body.candidates.map((one) => one.removed_by)).not.toContain(null)
  })

  test('heeds the headers that steer', async () => {
    await using explaining = await start()
    const { body } = await explaining.post<Explained>(path, prompted, { 'x-pandotate-strategy': 'fallback' })
    expect(body).toMatchObject({ strategy: 'fallback', plan: ['m@dear', 'm@cheap', 'm@unpriced'] })
  })

  test('is the same for a prompt and for messages, which are held to their own rules', async () => {
    await using explaining = await start()
    const { body } = await explaining.post<Explained>(path, chatted)
    expect(body).toMatchObject({ strategy: 'cheapest', plan: ['m@cheap', 'm@dear', 'm@unpriced'] })
  })
})

describe('the dialect', () => {
  const model = 'some-model'
  const messages = [{ role: 'user', content: 'Hi.' }]

  test.for<[string, object, number]>([
    ['completions', { model, prompt: 'Hi.', max_tokens: 7 }, 7],
    ['chat', { model, messages, max_tokens: 7 }, 7],
    ['messages', { model, messages, system: 'Be brief.', max_tokens: 7 }, 7],
    ['responses', { model, input: 'Hi.', max_output_tokens: 7 }, 7],
    ['embeddings', { model, input: ['Hi.', 'Ho.'] }, 0],
    ['rerank', { model, query: 'cats', documents: ['cats', 'dogs'] }, 0],
  ])('is reported by the body, which is held to its rules: %s', async ([dialect, body, tokens]) => {
    await using explaining = await start()
    const answer = await explaining.post<Explained>(path, body)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ dialect, expected_completion_tokens: tokens })
    expect(answer.body.prompt_tokens_estimated).toBeGreaterThan(0)
    expect(answer.body.plan).toEqual(['m@cheap', 'm@dear', 'm@unpriced'])
    const refused = await explaining.post<Explained>(path, { ...body, model: 1 })
    expect([refused.status, refused.body.error.param]).toEqual([400, 'model'])
  })

  test.for<[string, Record<string, string>]>([
    ['?dialect=responses', {}],
    ['', { 'x-pandotate-dialect': 'responses' }],
    ['?dialect=responses', { 'x-pandotate-dialect': 'chat' }],
  ])('is the one that is named: %s %j', async ([query, headers]) => {
    await using explaining = await start()
    const { status, body } = await explaining.post<Explained>(path + query, { model, input: 'Hi.' }, headers)
    expect([status, body.dialect]).toEqual([200, 'responses'])
  })

  test.for<[string, Record<string, string>]>([
    ['?dialect=telex', {}],
    ['?dialect=chat&dialect=responses', {}],
    ['', { 'x-pandotate-dialect': 'telex' }],
  ])('is refused where there is no such one: %s %j', async ([query, headers]) => {
    await using explaining = await start()
    const { status, body } = await explaining.post<Explained>(path + query, prompted, headers)
    expect([status, body.error.param]).toEqual([400, 'dialect'])
    expect(body.error.message).toMatch(/completions, chat, messages, fim, responses, embeddings or rerank\.$/)
  })
})

describe('the prompt’s tokens', () => {
  const text = 'Say hello to everybody, word for word.'

  test('are counted where that is asked for, and the estimate stays what is chosen by', async () => {
    await using explaining = await start()
    const before = await explaining.post<Explained>(path, { model: 'some-gpt-4', prompt: text })
    const { body } = await explaining.post<Explained>(`${path}?count=true`, {
      model: 'some-gpt-4',
      prompt: text,
    })
    expect(before.body).not.toHaveProperty('prompt_tokens')
    expect(body).toMatchObject({
      ...{ prompt_tokens: encode(text).length, prompt_tokens_exact: true },
      prompt_tokens_estimated: before.body.prompt_tokens_estimated,
    })
    expect(body.candidates).toEqual(before.body.candidates)
  })

  test.for<[string, object, number]>([
    ['token ids', { prompt: [1, 2, 3] }, 3],
    ['several prompts', { prompt: [text, text] }, 2 * encode(text).length],
    ['texts for vectors', { input: [text, text] }, 2 * encode(text).length],
    [
      'documents, the query read with each',
      { query: text, documents: [text, text] },
      4 * encode(text).length,
    ],
  ])('are exact for %s', async ([, body, count]) => {
    await using explaining = await start()
    const answer = await explaining.post<Explained>(`${path}?count=true`, { model: 'some-gpt-4', ...body })
    expect(answer.body).toMatchObject({ prompt_tokens: count, prompt_tokens_exact: true })
  })

  test.for<[string, object]>([
    ['an unavailable vocabulary', { model: 'some-llama', prompt: text }],
    ['a chat, for its template adds to them', { ...chatted, model: 'some-gpt-4' }],
    ['documents of several fields', { model: 'some-gpt-4', query: text, documents: [{ title: text }] }],
  ])('are said not to be exact with %s', async ([, body]) => {
    await using explaining = await start()
    const answer = await explaining.post<Explained>(`${path}?count=true`, body)
    expect(answer.body).toMatchObject({ prompt_tokens: expect.any(Number), prompt_tokens_exact: false })
    expect(answer.body.prompt_tokens).toBeGreaterThan(0)
  })
})

test('a candidate that there is no key for is reported as left out', async () => {
  await using explaining = await start([], ['cheap'])
  const { body } = await explaining.post<Explained>(path, prompted)
  expect(body.plan).toEqual(['m@dear', 'm@unpriced'])
  expect(body.candidates[1]).toMatchObject({
    ...{ deployment: 'm@cheap', expected_cost_nano_usd: expect.any(Number) },
    removed_by: { filter: 'key', reason: expect.any(String) },
  })
})

describe.for([
  ['a model nobody has', { ...prompted, model: 'other' }, 404, 'model_not_found', 'model'],
  ['no prompt', { model: 'some-model' }, 400, 'missing_required_parameter', 'prompt'],
  ['messages that are none', { model: 'some-model', messages: 'Hi.' }, 400, null, 'messages'],
] as const)('%s', ([, body, status, code, param]) => {
  test('is refused as the call would be', async () => {
    await using explaining = await start()
    const answer = await explaining.post<Explained>(path, body)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ param, ...(code === null ? {} : { code }) })
  })
})

test('without a key is refused where keys are configured', async () => {
  await using explaining = await start(['sk-one'])
  expect((await explaining.post<Explained>(path, prompted)).status).toBe(401)
  expect((await explaining.post<Explained>(path, prompted, { authorization: 'Bearer sk-one' })).status).toBe(
    200,
  )
})

async function start(keys: readonly string[] = [], keyless: readonly string[] = []) {
  const clock = handClock()
  const upstreams = ['dear', 'cheap', 'unpriced'].map((name) =>
    scriptedUpstream([[]], {
      ...{ name, retry: { retries: 0, delayMs: 0 }, admits: () => !keyless.includes(name) },
      relay: () => Promise.reject(new Error('Nobody is asked.')),
    }),
  )
  const [dear, cheap, unpriced] = [priced(2e9), priced(1e9), unknownPrice]
  const prices = [dear, cheap, unpriced]
  const deployments = upstreams.map((upstream, at) =>
    aDeployment(upstream, {
      ...{ id: `m@${upstream.name}`, price: prices[at] ?? unknownPrice },
      ...(upstream.name === 'cheap' ? { priceOrigin } : {}),
    }),
  )
  const router = createRouter([
    { pattern: 'some-*', strategy: 'cheapest', deployments },
    ...['gpt-4', 'llama'].map((name) => ({
      ...{ pattern: `some-${name}`, strategy: 'cheapest' as const },
      deployments: deployments.map((each) => ({ ...each, upstreamModel: name })),
    })),
  ])
  const planner = createPlanner({
    router,
    standings: createHealthRegistry(
      deployments.map(({ id }) => id),
      clock,
      () => 0.5,
    ),
    stickiness: undefined,
    attempts: undefined,
    clock,
    random: () => 0.5,
  })
  const readBody = createBodyReader({ bodyBytes: 10_000, jsonDepth: 16, jsonNodes: 10_000 })
  const dialects = dialectsWith({ store: createResponseStore(createMemoryResponses(clock, bounds)), clock })
  const counting = { router, counter: createTokenizer(), encoder: createEncoder() }
  const asking = {
    gateway: planner,
    gate: createAuthenticator({ keys, adminKeys: [] }),
    readBody,
    strict: false,
  }
  const mounted = await mount((routes) =>
    serveExplain(routes, '/v1', { ...asking, ...counting, dialects, relays }),
  )
  return { ...mounted, upstreams }
}

const priceOrigin: PriceOrigin = {
  source: 'shipped',
  ...{ sinceEpochMs: Date.parse('2026-08-18'), asOfEpochMs: Date.parse('2026-11-20') },
  ...{ sourceName: 'a list', isFirm: false },
}

/** The same for prompt and answer: a thousand nano-USD a token for each USD. */
function priced(nanoUsdPerMillion: number) {
  return {
    ...unknownPrice,
    inputNanoUsdPerMillion: nanoUsdPerMillion,
    outputNanoUsdPerMillion: nanoUsdPerMillion,
  }
}

const bounds = { maxEntries: 1000, maxBytes: 10_000_000, ttlMs: 60_000 }

/** The fields of an explanation, or of an error, that these tests read. */
type Explained = {
  readonly dialect: string
  readonly prompt_tokens: number
  readonly prompt_tokens_estimated: number
  readonly expected_completion_tokens: number
  readonly candidates: readonly {
    readonly price: object | null
    readonly expected_cost_nano_usd: number | null
    readonly removed_by: object | null
  }[]
  readonly plan: readonly string[]
  readonly error: { readonly message: string; readonly param: string }
}
