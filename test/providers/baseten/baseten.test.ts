import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { baseten } from '../../../src/providers/baseten/baseten.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, type Behaviour, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'
import { stage } from './harness.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/baseten/${name}`, import.meta.url), 'utf8')
const answers: Behaviour = (socket) => socket.write(answer(fixture('reply.json')))

const shared = { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }
const held = { ...shared, firstTokenMs: 600_000, totalMs: 1_200_000 }
const deployment = { model: 'abc123' }

test('settings have their defaults', () => {
  expect(baseten.settings.parse({})).toEqual({
    clocks: shared,
    retries: 1,
    retryDelayMs: 200,
    concurrency: 128,
    queueMs: 10_000,
    queueLimit: 1000,
    onAbort: 'cancel',
    billing: { stopsOnAbort: false },
    predict: false,
    oneChoice: false,
    models: [],
  })
})

test.for([
  ['Model APIs', {}, shared],
  ['a deployment, which may have to start first', { deployment }, held],
  ['a deployment, but for what is set', { deployment, clocks: { totalMs: 7 } }, { ...held, totalMs: 7 }],
])('the clocks are those of %s', ([, input, clocks]) => {
  const settings = baseten.settings.parse(input)
  expect(settings.clocks).toEqual(clocks)
  expect(baseten.create('up', settings, tools).clocks).toEqual(clocks)
})

test.for<readonly [string, object]>([
  ['an unknown setting', { region: 'eu' }],
  ['a key with a line end', { apiKey: 'k\r\nx: y' }],
  ['an unknown scheme', { auth: 'basic' }],
  ['credentials in the address', { baseUrl: 'https://user:pass@a/v1' }],
  ['an unknown clock', { clocks: { lunchMs: 1 } }],
  ['a clock that is not', { clocks: { idleMs: 0 } }],
  ['neither model nor chain', { deployment: {} }],
  ['both model and chain', { deployment: { model: 'a', chain: 'b' } }],
  ['both environment and deployment', { deployment: { model: 'a', environment: 'b', deployment: 'c' } }],
  ['a region without an environment', { deployment: { model: 'a', regional: true } }],
  ['an id that is a path', { deployment: { model: 'a/../b' } }],
  ['an id that is another host', { deployment: { model: 'a.example' } }],
  ['an environment that is a path', { deployment: { model: 'a', environment: '../x' } }],
  ['a path that is none', { textPath: 'completions' }],
  ['a path with a query', { textPath: '/completions?x=1' }],
  ['predict without a deployment', { predict: true }],
  ['health without a deployment', { healthPath: '/health' }],
  ['health of a chain', { healthPath: '/health', deployment: { chain: 'a' } }],
])('%s is refused', ([, input]) => {
  expect(baseten.settings.safeParse(input).success).toBe(false)
})

describe('where a call goes, and by which key', () => {
  const own = 'very-own-key'
  test.for<readonly [settings: object, kind: 'chat' | 'text', path: string, authorization: string]>([
    [{}, 'chat', '/chat/completions', `Bearer ${own}`],
    [{ textPath: '/completions' }, 'text', '/completions', `Bearer ${own}`],
    [{ auth: 'api-key' }, 'chat', '/chat/completions', `Api-Key ${own}`],
    [{ deployment }, 'chat', '/production/sync/v1/chat/completions', `Api-Key ${own}`],
    [{ deployment }, 'text', '/production/sync/v1/completions', `Api-Key ${own}`],
    [{ deployment, auth: 'bearer' }, 'chat', '/production/sync/v1/chat/completions', `Bearer ${own}`],
    [
      { deployment: { ...deployment, environment: 'development' } },
      'chat',
      '/development/sync/v1/chat/completions',
      `Api-Key ${own}`,
    ],
    [
      { deployment: { ...deployment, environment: 'staging' } },
      'chat',
      '/environments/staging/sync/v1/chat/completions',
      `Api-Key ${own}`,
    ],
    [
      { deployment: { ...deployment, deployment: 'w5x' } },
      'text',
      '/deployment/w5x/sync/v1/completions',
      `Api-Key ${own}`,
    ],
    [
      { deployment: { ...deployment, environment: 'prod-eu', regional: true } },
      'chat',
      '/sync/v1/chat/completions',
      `Api-Key ${own}`,
    ],
    [{ deployment, predict: true }, 'chat', '/production/predict', `Api-Key ${own}`],
    [{ deployment, predict: true }, 'text', '/production/predict', `Api-Key ${own}`],
    [{ deployment: { chain: 'c1' } }, 'chat', '/production/run_remote', `Api-Key ${own}`],
    [
      { deployment: { chain: 'c1', environment: 'e', regional: true } },
      'chat',
      '/run_remote',
      `Api-Key ${own}`,
    ],
  ])('with %j, a %s call', async ([settings, kind, path, authorization]) => {
    await using scene = await stage(answers, settings)
    await tell(scene.upstream, call({ model: 'm', kind, credential: 'sk-callers' }))
    expect(scene.server.requests).toMatchObject([{ method: 'POST', path, headers: { authorization } }])
    expect(JSON.stringify(scene.server.requests[0]?.headers)).not.toContain('sk-callers')
  })

  test('below the address that is set, its query last', async () => {
    await using scene = await stage(answers, { deployment }, '/here/?tenant=7')
    await tell(scene.upstream, call({ model: 'm', kind: 'chat' }))
    expect(scene.server.requests[0]?.path).toBe('/here/production/sync/v1/chat/completions?tenant=7')
  })
})

test('Model APIs have no text completions: said before anything is sent', async () => {
  await using scene = await stage(answers)
  for (const stream of [false, true]) {
    const told = await tell(scene.upstream, call({ model: 'm', kind: 'text', stream }))
    expect(told.failure).toMatchObject({ kind: 'unsupported', elsewhere: true, provider: 'up' })
  }
  expect(scene.server.requests).toEqual([])
})

test("the caller's own bytes go upstream, unknown fields and all", async () => {
  await using scene = await stage(answers)
  const source = '{ "model":"m", "chat_template_args":{"enable_thinking":false}, "seed":9223372036854775807 }'
  await tell(scene.upstream, call({ model: 'm', kind: 'chat', source, body: JSON.parse(source) }))
  expect(scene.server.requests[0]?.body).toBe(source)
})

test('usage is asked for in every stream', async () => {
  await using scene = await stage(answers)
  await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream: true }))
  expect(JSON.parse(scene.server.requests[0]!.body)).toMatchObject({
    stream_options: { include_usage: true },
  })
})

test("Baseten's own id of a request is noted", async () => {
  const headers = { 'x-baseten-request-id': 'bt-1', 'x-baseten-model-prediction-attempts': '2' }
  await using scene = await stage((socket) => socket.write(answer(fixture('reply.json'), { headers })))
  const attempt = startAttempt('m')
  await tell(scene.upstream, call({ model: 'm', kind: 'chat' }), attempt)
  expect(attempt.notes).toMatchObject({ upstreamRequestId: 'bt-1', upstreamStatus: 200 })
})

describe('a stream', () => {
  const of = (name: string): Behaviour => {
    const events = fixture(name).split(/(?<=\n\n)/)
    return (socket) => socket.write(streamed(events))
  }
  const ask = async (behave: Behaviour) => {
    await using scene = await stage(behave)
    return await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream: true }))
  }

  test('tells usage with every chunk: the last is the whole, and nothing is added up', async () => {
    expect(await ask(of('cumulative.sse'))).toMatchObject({
      text: 'one two',
      reason: 'stop',
      usage: { prompt_tokens: 86, completion_tokens: 4, total_tokens: 90 },
      reply: { choices: [{ message: { role: 'assistant', reasoning_content: ' think' } }] },
      failure: undefined,
    })
  })

  test('tells the id of a tool call with every fragment: it is one call', async () => {
    const { reply, reason, failure } = await ask(of('tools.sse'))
    expect({ reason, failure }).toEqual({ reason: 'tool_calls', failure: undefined })
    expect(reply?.choices[0]?.message?.tool_calls).toEqual([
      {
        id: 'chatcmpl-tool-b7d9',
        type: 'function',
        function: { name: 'square', arguments: '{"number":413}' },
      },
    ])
  })

  test('that ends after its finish_reason, without usage or terminator, is whole', async () => {
    expect(await ask(of('no-done.sse'))).toMatchObject({
      text: 'one two',
      reason: 'stop',
      usage: { completion_tokens: 2 },
      failure: undefined,
    })
  })

  test('that ends before its finish_reason is cut, with or without a terminator', async () => {
    const [first = '', second = ''] = fixture('cumulative.sse').split(/(?<=\n\n)/)
    for (const events of [
      [first, second],
      [first, second, 'data: [DONE]\n\n'],
    ]) {
      const told = await ask((socket) => socket.write(streamed(events)))
      expect(told.failure).toMatchObject({ kind: 'interrupted' })
    }
  })
})

describe('the models', () => {
  test('of Model APIs are read with their prices per token', async () => {
    await using scene = await stage((socket) => socket.write(answer(fixture('models.json'))), {}, '/v1')
    expect(await scene.upstream.listModels?.(AbortSignal.timeout(60_000))).toEqual([
      {
        id: 'openai/gpt-oss-120b',
        contextTokens: 128_072,
        price: {
          inputNanoUsdPerMillion: 100_000_000,
          cachedInputNanoUsdPerMillion: 100_000_000,
          outputNanoUsdPerMillion: 500_000_000,
          nanoUsdPerSecond: undefined,
        },
        traits: { maxOutputTokens: 128_072, tools: true, vision: false },
      },
    ])
    expect(scene.server.requests).toMatchObject([{ method: 'GET', path: '/v1/models' }])
  })

  test.for([{ deployment }, { deployment, predict: true }])(
    'of a deployment are not asked for: the question would wake one that sleeps, %j',
    async (settings) => {
      await using scene = await stage(answers, settings)
      expect(scene.upstream.listModels).toBeUndefined()
    },
  )
})

describe('a deployment that sleeps', () => {
  const accepts: Behaviour = (socket) => socket.write(answer('', { status: 202 }))

  test.for<readonly [object, string]>([
    [{ deployment }, '/production/wake'],
    [{ deployment, predict: true }, '/production/wake'],
    [{ deployment: { ...deployment, deployment: 'w5x' } }, '/deployment/w5x/wake'],
    [{ deployment: { ...deployment, environment: 'e', regional: true } }, '/wake'],
  ])('with %j is woken', async ([settings, path]) => {
    await using scene = await stage(accepts, settings)
    await scene.upstream.wake?.(AbortSignal.timeout(60_000))
    expect(scene.server.requests).toMatchObject([
      { method: 'POST', path, headers: { authorization: 'Api-Key very-own-key' } },
    ])
  })

  test('is woken also while calls hold all of its connections', async () => {
    const onlyWakes: Behaviour = (socket, { path }) => {
      if (path.endsWith('/wake')) socket.write(answer('', { status: 202 }))
    }
    await using scene = await stage(onlyWakes, { deployment, concurrency: 1 })
    const attempt = startAttempt('m')
    const told = tell(scene.upstream, call({ model: 'm', kind: 'chat' }), attempt)
    await scene.server.arrival(1)
    await scene.upstream.wake?.(AbortSignal.timeout(60_000))
    attempt.controller.abort(new Failure('caller_left', 'The caller left.'))
    expect((await told).failure).toMatchObject({ kind: 'caller_left' })
  })

  test('says who refused to wake it', async () => {
    const behave: Behaviour = (socket) =>
      socket.write(answer('{"error":"please check the api-key you provided"}', { status: 403 }))
    await using scene = await stage(behave, { deployment })
    const waking = scene.upstream.wake?.(AbortSignal.timeout(60_000)) ?? Promise.resolve()
    expect(await failureOf(waking)).toMatchObject({
      kind: 'upstream_auth',
      provider: 'up',
      operatorNote: 'providers.up.apiKey',
    })
  })

  test('is no longer asked to wake when nobody waits for it', async () => {
    await using scene = await stage(() => undefined, { deployment })
    const controller = new AbortController()
    const reason = new Failure('draining', 'The gateway is shutting down.')
    const waking = scene.upstream.wake?.(controller.signal)
    await scene.server.arrival(1)
    controller.abort(reason)
    await expect(waking).rejects.toBe(reason)
    await scene.server.idle()
  })

  test('is a model, not a chain, and not Model APIs', async () => {
    for (const settings of [{}, { deployment: { chain: 'c1' } }]) {
      await using scene = await stage(accepts, settings)
      expect(scene.upstream.wake).toBeUndefined()
    }
  })
})

describe('the health of a deployment', () => {
  test.for<readonly [settings: object, status: number, isReady: boolean]>([
    [{ healthPath: '/health' }, 200, true],
    [{ healthPath: '/health' }, 503, false],
    [{ healthPath: '/health', predict: true }, 200, true],
    [{ healthPath: '/health', predict: true }, 503, false],
  ])('with %j, told by status %i', async ([settings, status, isReady]) => {
    await using scene = await stage((socket) => socket.write(answer('', { status })), {
      deployment,
      ...settings,
    })
    expect(await scene.upstream.health?.(AbortSignal.timeout(60_000))).toMatchObject({ isReady })
    expect(scene.server.requests).toMatchObject([{ method: 'GET', path: '/production/sync/health' }])
  })

  test('is asked for only where its path is set', async () => {
    await using scene = await stage(answers, { deployment })
    expect(scene.upstream.health).toBeUndefined()
  })
})
