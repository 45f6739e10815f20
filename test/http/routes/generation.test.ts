import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../../src/core/authenticate.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { encodeLine } from '../../../src/core/model/record/line-writer.ts'
import { type AttemptRecord, type CallRecord, startRecord } from '../../../src/core/model/record/record.ts'
import { serveGeneration } from '../../../src/http/routes/generation.ts'
import { createGenerations } from '../../../src/telemetry/generations.ts'
import { lineOf } from '../../../src/telemetry/line.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { mount } from '../../harness/mounted-route.ts'

const price = { ...unknownPrice, inputNanoUsdPerMillion: 1e9, outputNanoUsdPerMillion: 2e9 }

const refused: AttemptRecord = {
  deployment: 'm@one',
  part: 0,
  startMs: 1,
  headersMs: undefined,
  firstTokenMs: undefined,
  totalMs: 4,
  outcome: 'overloaded',
  upstreamStatus: 503,
  upstreamRequestId: 'up-0',
  price: unknownPrice,
  used: undefined,
  isEstimated: false,
  isDelivered: false,
  isResumed: false,
  isUncertain: false,
  costNanoUsd: 0,
}

const answered: AttemptRecord = {
  ...refused,
  deployment: 'm@two',
  startMs: 5,
  headersMs: 10,
  firstTokenMs: 20,
  totalMs: 90,
  outcome: 'ok',
  upstreamStatus: 200,
  upstreamRequestId: 'up-1',
  price,
  used: { promptTokens: 10, cachedTokens: 4, completionTokens: 20, workedMs: 90 },
  isDelivered: true,
  isResumed: true,
  costNanoUsd: 50_000,
}

const row: Partial<CallRecord> = {
  kind: 'chat',
  model: 'm',
  stream: true,
  provider: 'two',
  deployment: 'm@two',
  status: 200,
  attempts: [refused, { ...refused, outcome: 'interrupted', isUncertain: true }, answered],
  firstTokenMs: 24,
  totalMs: 101,
  overheadMs: 0.5,
  usage: {
    prompt_tokens: 10,
    completion_tokens: 20,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 4 },
  },
  costNanoUsd: 50_000,
  baseline: { deployment: 'm@one', price: unknownPrice, workedMs: undefined },
  baselineNanoUsd: 80_000,
  savedNanoUsd: 30_000,
  dropped: new Set(['store']),
}

describe('a generation', () => {
  test.for<[CallRecord['kind'], string | null]>([
    ['text', 'completions'],
    ['chat', 'chat'],
    ['embeddings', 'embeddings'],
    ['rerank', 'rerank'],
    [undefined, null],
  ])('of a call for %s is of the type %s', async ([kind, type]) => {
    await using asking = await start({ ...row, kind })
    expect((await asking.request<Found>('/v1/generation?id=req_1')).body.data.api_type).toBe(type)
  })

  test('is reported in the names that OpenRouter has', async () => {
    await using asking = await start(row)
    const { status, headers, body } = await asking.request<Found>('/v1/generation?id=req_1')
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toBe('req_of_the_question')
    expect(body.data).toMatchObject({
      id: 'req_1',
      upstream_id: 'up-1',
      model: 'm',
      provider_name: 'two',
      api_type: 'chat',
      created_at: '2026-01-02T03:04:05.678Z',
      streamed: true,
      cancelled: false,
      latency: 24,
      generation_time: 100,
      tokens_prompt: 10,
      tokens_completion: 20,
      native_tokens_prompt: 10,
      native_tokens_completion: 20,
      native_tokens_cached: 4,
      native_tokens_reasoning: null,
      total_cost: 0.00005,
    })
  })

  test('has its durations in hundredths of a millisecond', async () => {
    await using asking = await start({ ...row, attempts: [{ ...answered, startMs: 0.01 }], totalMs: 16.664 })
    const { body } = await asking.request<Found>('/v1/generation?id=req_1')
    expect(body.data).toMatchObject({ total_ms: 16.66, generation_time: 16.65 })
  })

  test('has what of its tokens was cached, and what was reasoning', async () => {
    const details = {
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 7 },
    }
    await using asking = await start({
      usage: { prompt_tokens: 1, completion_tokens: 9, total_tokens: 10, ...details },
    })
    const { body } = await asking.request<Found>('/v1/generation?id=req_1')
    expect(body.data).toMatchObject({ native_tokens_cached: 0, native_tokens_reasoning: 7 })
  })

  test('has its money to the nano-USD, and what was saved', async () => {
    await using asking = await start(row)
    const { body } = await asking.request<Found>('/v1/generation?id=req_1')
    expect(body.data).toMatchObject({
      cost_nano_usd: 50_000,
      cost_usd: '0.000050000',
      cost_estimated: false,
      baseline: 'm@one',
      baseline_nano_usd: 80_000,
      baseline_usd: '0.000080000',
      saved_nano_usd: 30_000,
      saved_usd: '0.000030000',
      cache: null,
      dropped: ['store'],
    })
  })

  test('has every attempt, with its outcome, durations, price and cost', async () => {
    await using asking = await start(row)
    const { body } = await asking.request<Found>('/v1/generation?id=req_1')
    expect(body.data.attempts).toMatchObject([
      { deployment: 'm@one', outcome: 'overloaded', upstream_status: 503, used: null, cost_nano_usd: 0 },
      { outcome: 'interrupted', resumed: false, uncertain: true },
      {
        deployment: 'm@two',
        outcome: 'ok',
        delivered: true,
        resumed: true,
        uncertain: false,
        start_ms: 5,
        headers_ms: 10,
        first_token_ms: 20,
        total_ms: 90,
        upstream_id: 'up-1',
        price: {
          input_nano_usd_per_million: 1e9,
          cached_input_nano_usd_per_million: null,
          output_nano_usd_per_million: 2e9,
          nano_usd_per_second: null,
          nano_usd_per_request: null,
        },
        used: { prompt_tokens: 10, cached_tokens: 4, completion_tokens: 20, worked_ms: 90 },
        estimated: false,
        cost_nano_usd: 50_000,
        cost_usd: '0.000050000',
      },
    ])
  })

  test('says null, and never 0, where nothing is known', async () => {
    await using asking = await start({})
    const { body } = await asking.request<Found>('/v1/generation?id=req_1')
    for (const name of [
      'upstream_id',
      'model',
      'provider_name',
      'latency',
      'generation_time',
      'tokens_prompt',
      'native_tokens_completion',
      'native_tokens_cached',
      'total_cost',
      'cost_nano_usd',
      'cost_usd',
      'baseline',
      'saved_usd',
      'failure',
    ]) {
      expect(body.data, name).toHaveProperty(name, null)
    }
  })

  test('that a caller left was cancelled, and tells its failure by kind and code alone', async () => {
    const cause = Object.assign(new Error('secret cause'), {
      body: { prompt: 'secret prompt' },
      code: 'secret',
    })
    const failure = new Failure('caller_left', 'secret', { cause, param: 'secret', operatorNote: 'secret' })
    await using asking = await start({ outcome: 'left', failure })
    const { body } = await asking.request<Found>('/v1/generation?id=req_1')
    expect(body.data.cancelled).toBe(true)
    expect(body.data.failure).toStrictEqual({ kind: 'caller_left', code: 'client_closed_request' })
    expect(JSON.stringify(body)).not.toContain('secret')
  })
})

describe('asking', () => {
  test.for([
    ['no id', '/v1/generation', 400, null],
    ['an empty id', '/v1/generation?id=', 400, null],
    ['two ids', '/v1/generation?id=req_1&id=req_2', 400, null],
    ['an unknown id', '/v1/generation?id=req_2', 404, 'generation_not_found'],
  ] as const)('for %s is refused', async ([, path, status, code]) => {
    await using asking = await start(row)
    const answer = await asking.request<Found>(path)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ type: 'invalid_request_error', param: 'id', code })
  })

  test('shows a caller their own calls alone', async () => {
    const gate = createAuthenticator({ keys: ['sk-one', 'sk-two'], adminKeys: [] })
    const { id: owner } = gate.admit('sk-one')
    await using asking = await start({ ...row, owner }, gate)
    const answers = await Promise.all(
      [undefined, 'sk-none', 'sk-two', 'sk-one'].map((key) =>
        asking.request<Found>(
          '/v1/generation?id=req_1',
          key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } },
        ),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 404, 200])
  })

  test.for([
    ['admin', 200],
    ['read', 200],
    ['metrics', 404],
  ] as const)(
    'with a management key of the role %s gives the call of anyone, or none: %i',
    async ([role, status]) => {
      const key = 'sk-of-a-manager'
      const keys = { keys: ['sk-one', ...(role === 'metrics' ? [key] : [])], adminKeys: [{ key, role }] }
      const gate = createAuthenticator(keys)
      const { id: owner } = gate.admit('sk-one')
      await using asking = await start({ ...row, owner }, gate)
      const found = await asking.request<Found>('/v1/generation?id=req_1', {
        headers: { authorization: `Bearer ${key}` },
      })
      expect(found.status).toBe(status)
      if (status === 200) expect(found.body.data).toMatchObject({ id: 'req_1', model: 'm' })
    },
  )
})

test.for(['/v1', '/inference/v1'])(
  'a call that was answered can be asked for at once, under %s',
  async (prefix) => {
    await using gateway = await startTestGateway()
    const answer = await fetch(`${gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'some-model', prompt: 'Hi.' }),
    })
    const id = answer.headers.get('x-request-id')
    await answer.text()
    const found = await fetch(`${gateway.url}${prefix}/generation?id=${id}`)
    expect(await found.json()).toMatchObject({
      data: { id, model: 'some-model', provider_name: 'simulator', streamed: false, status: 200 },
    })
  },
)

async function start(change: Partial<CallRecord>, gate = createAuthenticator({ keys: [], adminKeys: [] })) {
  const generations = createGenerations()
  const startedEpochMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  const record = { ...startRecord('req_1', 'chat', startedEpochMs), owner: 'anyone', ...change }
  generations.keep(record, encodeLine(lineOf(record)))
  return await mount((router) => serveGeneration(router, '/v1', { gate, generations }))
}

/** The fields of a generation, or of an error, that these tests read. */
type Found = {
  readonly data: {
    readonly api_type: string | null
    readonly attempts: readonly object[]
    readonly cancelled: boolean
    readonly failure: object | null
  }
  readonly error: object
}
