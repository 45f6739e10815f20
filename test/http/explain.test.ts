import { describe, expect, test } from 'vitest'
import { createGate } from '../../src/core/gate.ts'
import { createPlanner } from '../../src/core/planner.ts'
import { unknownPrice } from '../../src/core/price.ts'
import { createRouter } from '../../src/core/router.ts'
import { createStandings } from '../../src/core/standings.ts'
import { createBodyReader } from '../../src/http/body.ts'
import { serveExplain } from '../../src/http/explain.ts'
import { handClock } from '../core/pool.ts'
import { aDeployment, scriptedUpstream } from '../core/scripted-upstream.ts'
import { mount } from './mounted.ts'

const path = '/v1/route/explain'
const prompted = { model: 'some-model', prompt: 'Say hello.', max_tokens: 10 }
const chatted = { model: 'some-model', messages: [{ role: 'user', content: 'Hi.' }], max_tokens: 10 }

describe('an explanation', () => {
  test('names the route, each candidate with its expected cost and score, and the plan', async () => {
    await using explaining = await start()
    const { status, headers, body } = await explaining.post(path, prompted)
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toBe('req_of_the_question')
    const [dear, cheap, unpriced] = body.candidates
    const nanoUsd = (body.prompt_tokens + body.expected_completion_tokens) * 1000
    expect(body).toEqual({
      model: 'some-model',
      pattern: 'some-*',
      strategy: 'cheapest',
      prompt_tokens: expect.any(Number),
      expected_completion_tokens: 10,
      candidates: [dear, cheap, unpriced],
      plan: ['m@cheap', 'm@dear', 'm@unpriced'],
    })
    expect(cheap).toEqual({
      deployment: 'm@cheap',
      provider: 'cheap',
      upstream_model: 'some-model',
      expected_cost_nano_usd: nanoUsd,
      expected_cost_usd: `0.${String(nanoUsd).padStart(9, '0')}`,
      score: nanoUsd,
      breaker: 'closed',
      share: 1,
      removed_by: null,
    })
    expect(dear.expected_cost_nano_usd).toBe(2 * nanoUsd)
    expect(unpriced).toMatchObject({ expected_cost_nano_usd: null, expected_cost_usd: null, score: null })
  })

  test('sends nothing upstream', async () => {
    await using explaining = await start()
    await explaining.post(path, prompted)
    expect(explaining.upstreams.flatMap(({ calls }) => calls)).toEqual([])
  })

  test('says which filter removed a candidate', async () => {
    await using explaining = await start()
    const { body } = await explaining.post(path, { ...chatted, provider: { ignore: ['cheap'] } })
    expect(body.plan).toEqual(['m@dear', 'm@unpriced'])
    expect(body.candidates[1].removed_by).toEqual({ filter: 'steering', reason: expect.any(String) })
  })

  test('of a call that nobody can take has no plan, and is no error', async () => {
    await using explaining = await start()
    const asked = { ...chatted, provider: { ignore: ['cheap', 'dear', 'unpriced'] } }
    const { status, body } = await explaining.post(path, asked)
    expect(status).toBe(200)
    expect(body.plan).toEqual([])
    expect(body.candidates.map((one: { removed_by: unknown }) => one.removed_by)).not.toContain(null)
  })

  test('heeds the headers that steer', async () => {
    await using explaining = await start()
    const { body } = await explaining.post(path, prompted, { 'x-pandotate-strategy': 'fallback' })
    expect(body).toMatchObject({ strategy: 'fallback', plan: ['m@dear', 'm@cheap', 'm@unpriced'] })
  })

  test('is the same for a prompt and for messages, which are held to their own rules', async () => {
    await using explaining = await start()
    const { body } = await explaining.post(path, chatted)
    expect(body).toMatchObject({ strategy: 'cheapest', plan: ['m@cheap', 'm@dear', 'm@unpriced'] })
  })
})

describe.for([
  ['a model nobody has', { ...prompted, model: 'other' }, 404, 'model_not_found', 'model'],
  ['no prompt', { model: 'some-model' }, 400, 'missing_required_parameter', 'prompt'],
  ['messages that are none', { model: 'some-model', messages: 'Hi.' }, 400, null, 'messages'],
] as const)('%s', ([, body, status, code, param]) => {
  test('is refused as the call would be', async () => {
    await using explaining = await start()
    const answer = await explaining.post(path, body)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ param, ...(code === null ? {} : { code }) })
  })
})

test('without a key is refused where keys are configured', async () => {
  await using explaining = await start(['sk-one'])
  expect((await explaining.post(path, prompted)).status).toBe(401)
  expect((await explaining.post(path, prompted, { authorization: 'Bearer sk-one' })).status).toBe(200)
})

async function start(keys: readonly string[] = []) {
  const clock = handClock()
  const upstreams = ['dear', 'cheap', 'unpriced'].map((name) =>
    scriptedUpstream([[]], { name, retry: { retries: 0, delayMs: 0 } }),
  )
  const [dear, cheap, unpriced] = [priced(2e9), priced(1e9), unknownPrice]
  const prices = [dear, cheap, unpriced]
  const deployments = upstreams.map((upstream, at) =>
    aDeployment(upstream, { id: `m@${upstream.name}`, price: prices[at] ?? unknownPrice }),
  )
  const planner = createPlanner({
    router: createRouter([{ pattern: 'some-*', strategy: 'cheapest', deployments }]),
    standings: createStandings(
      deployments.map(({ id }) => id),
      clock,
      () => 0.5,
    ),
    stickiness: undefined,
    attempts: undefined,
    clock,
    random: () => 0.5,
  })
  const readBody = createBodyReader({ bodyBytes: 10_000, jsonDepth: 16 })
  const mounted = await mount((router) =>
    serveExplain(router, '/v1', { gateway: planner, gate: createGate(keys), readBody, strict: false }),
  )
  return { ...mounted, upstreams }
}

/** The same for prompt and answer: a thousand nano-USD a token for each USD. */
function priced(nanoUsdPerMillion: number) {
  return {
    ...unknownPrice,
    inputNanoUsdPerMillion: nanoUsdPerMillion,
    outputNanoUsdPerMillion: nanoUsdPerMillion,
  }
}
