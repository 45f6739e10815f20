import { describe, expect, test, vi } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { costNanoUsd } from '../../../src/core/model/price.ts'
import { baseten } from '../../../src/providers/baseten/baseten.ts'
import { type BasetenOptions, simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import { type BasetenModel, priceOf } from '../../../src/simulator/baseten/models.ts'
import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, type Told, tell } from '../../harness/core/simulated-call.ts'
import { tools } from '../../harness/tools.ts'
import { until } from '../../simulator/harness.ts'

type Scene = AsyncDisposable & { readonly server: SimulatedServer; readonly upstream: Upstream }

const deployment = { model: 'abc123' }
type Surface = readonly [name: string, settings: object, path: string]

const shared: Surface = ['Model APIs', {}, '/v1']
const dedicated: Surface = ['a deployment', { deployment }, '']
const predict: Surface = ['predict', { deployment, predict: true }, '']
const surfaces = [shared, dedicated, predict]

async function stage([, settings, path]: Surface, options: Partial<BasetenOptions> = {}): Promise<Scene> {
  const server = await simulateBaseten({ host: '127.0.0.1', port: 0, key: 'right', ...options })
  const given = { baseUrl: server.origin + path, apiKey: 'right', ...settings }
  const upstream = baseten.create('up', baseten.settings.parse(given), tools)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const outcomes: readonly (readonly [model: string, expected: object])[] = [
  ['openai/sim-echo', { text: 'one two', reason: 'stop', failure: undefined }],
  ['zai-org/sim-echo', { text: 'one two', reason: 'stop', failure: undefined }],
  ['sim-slow-1-drip-1-echo', { text: 'one two', failure: undefined }],
  ['sim-flaky-1-echo', { failure: { kind: 'overloaded', upstreamStatus: 503 } }],
  ['sim-ratelimit-2', { failure: { kind: 'rate_limited', retryAfterMs: 2000 } }],
  ['openai/sim-status-400', { failure: { kind: 'rejected', message: 'Simulated status 400.' } }],
  ['zai-org/sim-status-400', { failure: { kind: 'rejected', message: 'Simulated status 400.' } }],
  ['sim-status-402', { failure: { kind: 'upstream_auth' } }],
  ['sim-status-403', { failure: { kind: 'upstream_auth' } }],
  ['sim-status-404', { failure: { kind: 'model_not_found' } }],
  ['sim-status-500', { failure: { kind: 'upstream_error' } }],
  ['sim-status-529', { failure: { kind: 'overloaded', upstreamStatus: 529 } }],
  ['sim-cut-1-echo', { failure: { kind: 'interrupted' } }],
  ['sim-reset', { failure: { kind: 'unreachable' } }],
  ['sim-badjson', { failure: { kind: 'invalid_response' } }],
  ['sim-html', { failure: { kind: 'invalid_response' } }],
  ['sim-empty', { failure: { kind: 'invalid_response' } }],
]

describe.for(surfaces)('of a simulated Baseten, %s', (surface) => {
  describe.for([false, true])('stream %s', (stream) => {
    test.for(outcomes)('%s is understood', async ([model, expected]) => {
      await using scene = await stage(surface)
      expect(await tell(scene.upstream, call({ model, kind: 'chat', stream }))).toMatchObject(expected)
      expect(scene.server.hits()).toBe(1)
      expect(scene.server.abandoned()).toBe(0)
    })
  })

  test('a caller who leaves in the middle is let go, and leaves nothing running', async () => {
    await using scene = await stage(surface)
    for (const model of ['sim-stall-0', 'sim-stall-1-echo']) {
      const attempt = startAttempt(model)
      const told = tell(scene.upstream, call({ model, kind: 'chat', stream: true }), attempt)
      const before = scene.server.hits()
      await until(() => scene.server.requests.length > before)
      const leaving = new Failure('caller_left', 'The caller left.')
      attempt.controller.abort(leaving)
      expect((await told).failure).toBe(leaving)
    }
    await until(() => scene.server.abandoned() === 2)
  })

  test.for(['bearer', 'api-key'])("a wrong key by %s is the operator's to mend", async (auth) => {
    const [name, settings, path] = surface
    await using scene = await stage([name, { ...settings, apiKey: 'wrong', auth }, path])
    const told = await tell(scene.upstream, call({ model: 'sim-echo', kind: 'chat' }))
    expect(told.failure).toMatchObject({ kind: 'upstream_auth', upstreamStatus: 403 })
  })
})

describe('a tool call', () => {
  const tool = { name: 'square', parameters: { type: 'object', properties: { number: { type: 'integer' } } } }
  const body = {
    messages: [{ role: 'user', content: 'one two' }],
    tools: [{ type: 'function', function: tool }],
  }

  test.for([false, true])('is one, with its id and name told once (stream %s)', async (stream) => {
    await using scene = await stage(shared)
    const told = await tell(scene.upstream, call({ model: 'openai/sim-tools', kind: 'chat', stream, body }))
    expect(told).toMatchObject({ reason: 'tool_calls', failure: undefined })
    expect(told.reply?.choices[0]?.message?.tool_calls).toMatchObject([
      { id: 'chatcmpl-tool-call_simulated', function: { name: 'square', arguments: '{"number":1}' } },
    ])
  })
})

describe('bare text', () => {
  test('is whole when its body is, and is counted by nobody', async () => {
    await using scene = await stage(predict)
    for (const kind of ['text', 'chat'] as const) {
      const told = await tell(scene.upstream, call({ model: 'sim-long-500', kind, stream: true }))
      expect(told).toMatchObject({ reason: 'stop', usage: undefined, failure: undefined })
      expect(told.text.split(' ')).toHaveLength(500)
    }
  })

  test.for(['text/sim-echo', 'generated/sim-echo', 'sim-echo'])('may come as JSON: %s', async (model) => {
    await using scene = await stage(predict)
    const told = await tell(scene.upstream, call({ model, kind: 'text' }))
    expect(told).toMatchObject({ text: 'one two', reason: 'stop', usage: undefined, failure: undefined })
  })
})

describe('a deployment that sleeps', () => {
  const asked = call({ model: 'sim-echo', kind: 'chat' })

  test('holds a call until it is up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await using scene = await stage(dedicated, { coldMs: 180_000 })
      let isAnswered = false
      const told = tell(scene.upstream, asked).finally(() => {
        isAnswered = true
      })
      await until(() => scene.server.requests.length === 1)
      await vi.advanceTimersByTimeAsync(179_999)
      expect(isAnswered).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      expect(await told).toMatchObject({ text: 'one two', failure: undefined })
    } finally {
      vi.useRealTimers()
    }
  })

  test('starts when it is woken', async () => {
    await using scene = await stage(dedicated, { coldMs: 1 })
    await scene.upstream.wake?.(AbortSignal.timeout(60_000))
    expect(scene.server.requests).toMatchObject([{ method: 'POST', path: '/production/wake' }])
    expect(await tell(scene.upstream, asked)).toMatchObject({ text: 'one two', failure: undefined })
  })

  test('lets go of a caller who does not wait', async () => {
    await using scene = await stage(dedicated, { coldMs: Number.POSITIVE_INFINITY })
    const attempt = startAttempt('sim-echo')
    const told = tell(scene.upstream, asked, attempt)
    await until(() => scene.server.requests.length === 1)
    attempt.controller.abort(new Failure('timeout', 'The upstream did not answer in time.'))
    expect((await told).failure).toMatchObject({ kind: 'timeout' })
    await until(() => scene.server.abandoned() === 1)
    expect(scene.server.bill()).toEqual([])
  })
})

describe('the bill', () => {
  const model = (id: string): BasetenModel => ({
    ...{ id, contextTokens: 1000, input: '0.00000174', output: '0.00000348', cachedInput: '0.000000145' },
    engine: 'a',
  })
  const names = ['sim-echo', 'sim-long-333', 'sim-cut-2-long-9', 'sim-length'].map((name) => `openai/${name}`)

  test.for([false, true])('of Model APIs is what the usage told costs (stream %s)', async (stream) => {
    await using scene = await stage(shared, { models: names.map(model) })
    const expected: (number | undefined)[] = []
    for (const name of names) {
      const told = await tell(scene.upstream, call({ model: name, kind: 'chat', stream }))
      if (told.usage !== undefined) expected.push(costNanoUsd(priceOf(model(name)), consumed(told)))
    }
    const charged = scene.server.bill().filter(({ completionTokens }) => completionTokens > 0)
    expect(charged.map(({ attempt }) => attempt)).toEqual(charged.map(() => 'req_0-0'))
    expect(expected.length).toBeGreaterThan(2)
    expect(charged.map(({ nanoUsd }) => nanoUsd)).toEqual(
      stream ? expected : expect.arrayContaining(expected),
    )
  })

  test('of a deployment is the time it worked, at its price', async () => {
    let now = 0
    const options = { nanoUsdPerSecond: 236_111, now: () => (now += 1500) }
    await using scene = await stage(dedicated, options)
    await tell(scene.upstream, call({ model: 'sim-echo', kind: 'chat' }))
    expect(scene.server.bill()).toMatchObject([{ attempt: 'req_0-0', workedMs: 1500, nanoUsd: 354_167 }])
  })
})

function consumed({ usage }: Told) {
  const counts: JsonObject = usage ?? {}
  return {
    promptTokens: Number(counts['prompt_tokens']),
    cachedTokens: 0,
    completionTokens: Number(counts['completion_tokens']),
    workedMs: undefined,
  }
}

test('the list of a simulated Baseten is read with its prices', async () => {
  await using scene = await stage(shared)
  const listed = (await scene.upstream.listModels?.(AbortSignal.timeout(60_000))) ?? []
  expect(listed[0]).toMatchObject({ id: 'openai/gpt-oss-120b', contextTokens: 128_072 })
  expect(listed[0]?.price.outputNanoUsdPerMillion).toBe(500_000_000)
})

test('the health of a simulated deployment is asked', async () => {
  await using scene = await stage(['', { deployment, healthPath: '/health' }, ''])
  expect(await scene.upstream.health?.(AbortSignal.timeout(60_000))).toMatchObject({ isReady: true })
})
