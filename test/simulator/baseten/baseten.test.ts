import { describe, expect, test, vi } from 'vitest'
import { behaviours } from '../../../src/simulator/script/behaviours.ts'
import { until } from '../harness.ts'
import { ask, chat, eventsIn, get, messages, open, start, usage } from './harness.ts'

const padding = { content: null, function_call: null, tool_calls: null, role: null, refusal: null }
const counted = (completion: number) => ({
  ...{ prompt_tokens: 2, completion_tokens: completion, total_tokens: 2 + completion },
  prompt_tokens_details: { audio_tokens: 0, cached_tokens: 0 },
  completion_tokens_details: {
    ...{ accepted_prediction_tokens: 0, audio_tokens: 0 },
    ...{ reasoning_tokens: 0, rejected_prediction_tokens: 0 },
  },
})

describe('a stream of Model APIs', () => {
  test('is padded with nulls, and its usage grows from chunk to chunk', async () => {
    await using server = await start()
    const outcome = await ask(server, chat, { model: 'openai/sim-echo', messages, ...usage })
    expect(outcome.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'x-baseten-request-id': 'simulated-1',
      'x-baseten-model-prediction-attempts': '1',
    })
    const chunk = (choices: readonly object[], completion: number) => ({
      ...{ id: 'chatcmpl-simulated1', choices, created: 1_780_264_254, model: 'openai/sim-echo' },
      ...{ service_tier: null, system_fingerprint: null, object: 'chat.completion.chunk' },
      usage: counted(completion),
    })
    const delta = (held: object) => [{ index: 0, delta: { ...padding, ...held } }]
    expect(eventsIn(outcome)).toEqual([
      chunk(delta({ role: 'assistant' }), 0),
      chunk(delta({ content: 'one' }), 1),
      chunk(delta({ content: ' two' }), 2),
      chunk([{ index: 0, delta: padding, finish_reason: 'stop' }], 2),
      chunk([], 2),
      '[DONE]',
    ])
  })

  test('tells no usage where none was requested', async () => {
    await using server = await start()
    const outcome = await ask(server, chat, { model: 'openai/sim-echo', messages, stream: true })
    expect(outcome.body).not.toContain('usage')
    expect(eventsIn(outcome)).toHaveLength(5)
  })

  test('of GLM ends with the chunk that tells why', async () => {
    await using server = await start()
    const outcome = await ask(server, chat, { model: 'zai-org/sim-echo', messages, ...usage })
    const events = eventsIn(outcome)
    expect(events).toHaveLength(4)
    expect(events.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: counted(2) })
    expect(outcome.broken).toBeUndefined()
  })

  test('tells the id of a tool call with every fragment, its name once', async () => {
    await using server = await start()
    const tools = [{ type: 'function', function: { name: 'square', parameters: schema } }]
    const body = { model: 'openai/sim-tools', messages, tools, ...usage }
    const fragments = eventsIn(await ask(server, chat, body)).slice(1, -3)
    expect(fragments.length).toBeGreaterThan(1)
    for (const [at, fragment] of fragments.entries()) {
      const called = { name: at === 0 ? 'square' : null, arguments: expect.any(String) }
      expect(fragment).toMatchObject({
        choices: [
          { delta: { tool_calls: [{ index: 0, id: 'chatcmpl-tool-call_simulated', function: called }] } },
        ],
      })
    }
  })

  test('of several choices counts the tokens of all', async () => {
    await using server = await start()
    const outcome = await ask(server, chat, { model: 'openai/sim-echo', messages, n: 2, ...usage })
    const told = eventsIn(outcome).map((event) =>
      typeof event === 'object' && event !== null && 'usage' in event ? event.usage : undefined,
    )
    expect(told.slice(0, -1)).toMatchObject(
      [0, 0, 1, 2, 3, 4, 4, 4, 4].map((completion_tokens) => ({ completion_tokens })),
    )
    expect(server.bill()).toMatchObject([{ completionTokens: 4 }])
  })
})

const schema = { type: 'object', properties: { number: { type: 'integer' } } }

describe('a reply', () => {
  test('of Model APIs is compact, without keys for what it does not tell', async () => {
    await using server = await start()
    const { body } = await ask(server, chat, { model: 'openai/sim-echo', messages })
    expect(body).toBe(
      JSON.stringify({
        id: 'chatcmpl-simulated1',
        choices: [{ index: 0, message: { content: 'one two', role: 'assistant' }, finish_reason: 'stop' }],
        ...{ created: 1_780_264_254, model: 'openai/sim-echo', object: 'chat.completion' },
        usage: counted(2),
      }),
    )
  })

  test('that calls a tool has no content at all', async () => {
    await using server = await start()
    const tools = [{ type: 'function', function: { name: 'square', parameters: schema } }]
    const { body } = await ask(server, chat, { model: 'openai/sim-tools', messages, tools })
    const { message } = JSON.parse(body).choices[0]
    expect(message).not.toHaveProperty('content')
    expect(message.tool_calls).toMatchObject([{ function: { name: 'square', arguments: '{"number":1}' } }])
  })

  test('of GLM tells a number for what stopped it', async () => {
    await using server = await start()
    const { body } = await ask(server, chat, { model: 'zai-org/sim-echo', messages })
    expect(JSON.parse(body).choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: 154_827 })
  })
})

test('Model APIs list their models, with prices per token', async () => {
  await using server = await start()
  const { body } = await get(server, '/v1/models')
  expect(JSON.parse(body).data[0]).toMatchObject({
    ...{ id: 'openai/gpt-oss-120b', context_length: 128_072 },
    pricing: { prompt: '0.0000001', completion: '0.0000005', request: '0', input_cache_read: '0.0000001' },
  })
})

describe('every behaviour', () => {
  const cases: readonly (readonly [string, string, string | RegExp, string?])[] = [
    ['echo', 'sim-echo', '"content":" two"'],
    ['long', 'sim-long-1', '"content":"river"'],
    ['length', 'sim-length', '"finish_reason":"length"'],
    ['slow', 'sim-slow-1-echo', '"content":" two"'],
    ['drip', 'sim-drip-1-echo', '"content":" two"'],
    ['status', 'sim-status-529', '"error_code":"model_unavailable"'],
    ['ratelimit', 'sim-ratelimit-7', '"error_code":"rate_limited"'],
    ['flaky', 'sim-flaky-1', '"error":"Simulated failure 1 of 1."'],
    ['cut', 'sim-cut-1-echo', /"content":"one".*\n\n$/, 'ECONNRESET'],
    ['reset', 'sim-reset', '', 'ECONNRESET'],
    ['badjson', 'sim-badjson', /^\{.*[^}]$/],
    ['html', 'sim-html', '<!doctype html>'],
    ['empty', 'sim-empty', '{}'],
    ['nousage', 'sim-nousage-echo', /^(?:(?!prompt_tokens)(?:.|\n))*\[DONE\]/],
    ['usage-weird', 'sim-usage-weird-echo', '"prompt_tokens":-7'],
    ['extra', 'sim-extra-echo', '"region":"eu-sim-1"'],
    ['reasoning', 'sim-reasoning-echo', '"reasoning_content":"Somebody"'],
    ['tools', 'sim-tools-echo', '"content":" two"'],
    ['ragged', 'sim-ragged-echo', /^(: .*\r\n\r\ndata: .*\r\n\r\n)+: .*\r\n\r\ndata: \[DONE\]\r\n$/],
  ]

  test.for(cases)('%s in a stream: %s', async ([, model, told, broken]) => {
    await using server = await start()
    const outcome = await ask(server, chat, { model, messages, ...usage })
    expect(outcome.broken).toBe(broken)
    expect(outcome.body).toEqual(
      typeof told === 'string' ? expect.stringContaining(told) : expect.stringMatching(told),
    )
    expect(server.abandoned()).toBe(0)
  })

  test('is tried', () => {
    const tried = new Set([...cases.map(([name]) => name), 'stall'])
    expect([...tried].sort()).toEqual(behaviours.map(({ name }) => name).sort())
  })
})

describe('predict', () => {
  const path = '/production/predict'

  test('streams bare text', async () => {
    await using server = await start()
    const outcome = await ask(server, path, { model: 'sim-echo', messages, stream: true })
    expect(outcome).toMatchObject({ status: 200, body: 'one two' })
    expect(outcome.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'transfer-encoding': 'chunked',
    })
  })

  test.for([
    ['sim-echo', '{"output":"one two"}'],
    ['sim-extra-echo', '{"output":"one two","region":"eu-sim-1","queue_ms":12}'],
    ['text/sim-echo', '"one two"'],
    ['generated/sim-echo', '[{"generated_text":"one two"}]'],
  ])('of %s gives JSON where no stream is asked for', async ([model, body]) => {
    await using server = await start()
    expect(await ask(server, path, { model, prompt: 'one two' })).toMatchObject({ body })
  })

  test.for([
    ['sim-cut-1-echo', 200, 'one', 'ECONNRESET'],
    ['sim-cut-0-echo', 200, '', 'ECONNRESET'],
    ['sim-reset', 0, '', 'ECONNRESET'],
    ['sim-status-500', 500, '{"error":"Internal Server Error (in model/chainlet)."}', undefined],
    ['sim-html', 200, expect.stringContaining('<!doctype html>'), undefined],
    ['sim-slow-1-echo', 200, 'one two', undefined],
  ])('of %s', async ([model, status, body, broken]) => {
    await using server = await start()
    const outcome = await ask(server, path, { model, messages, stream: true })
    expect(outcome).toMatchObject({ status, body, broken })
  })

  test('waits for a client that reads slowly, and ends', async () => {
    await using server = await start()
    const outcome = await ask(server, path, { model: 'sim-long-100000', prompt: 'x', stream: true })
    expect(outcome.body.split(' ')).toHaveLength(100_000)
  })
})

describe('a deployment that sleeps', () => {
  const path = '/production/sync/v1/chat/completions'
  const body = { model: 'sim-echo', messages }
  const inFakeTime = async (run: () => Promise<void>) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await run()
    } finally {
      vi.useRealTimers()
    }
  }

  test('holds what is asked of it until it is up, and is up from then on', () =>
    inFakeTime(async () => {
      await using server = await start({ coldMs: 60_000 })
      const held = [open(server, path, body), open(server, '/production/predict', body)]
      await until(() => server.requests.length === 2)
      await vi.advanceTimersByTimeAsync(59_999)
      for (const visit of held) expect(visit.seen().status).toBe(0)
      await vi.advanceTimersByTimeAsync(1)
      for (const { outcome } of held) expect((await outcome).status).toBe(200)
      expect((await ask(server, path, body)).status).toBe(200)
      expect(vi.getTimerCount()).toBe(0)
    }))

  test('is woken with a 202, that does not wait', () =>
    inFakeTime(async () => {
      await using server = await start({ coldMs: 60_000 })
      expect((await ask(server, '/production/wake', '')).status).toBe(202)
      await vi.advanceTimersByTimeAsync(60_000)
      expect((await ask(server, path, body)).status).toBe(200)
    }))

  test('sleeps apart from the others, and from Model APIs', () =>
    inFakeTime(async () => {
      await using server = await start({ coldMs: 60_000 })
      await ask(server, '/production/wake', '')
      await vi.advanceTimersByTimeAsync(60_000)
      expect((await ask(server, chat, body)).status).toBe(200)
      const held = open(server, '/environments/staging/predict', body)
      await until(() => server.requests.length === 3)
      expect(held.seen().status).toBe(0)
      held.leave()
      await until(() => server.abandoned() === 1)
    }))

  test('is billed for nobody who left before it was up', async () => {
    await using server = await start({ coldMs: Number.POSITIVE_INFINITY, nanoUsdPerSecond: 1 })
    const visit = open(server, path, body)
    await until(() => server.requests.length === 1)
    visit.leave()
    await until(() => server.abandoned() === 1)
    expect(server.bill()).toEqual([])
  })

  test('is closed with anyone who waits for it', async () => {
    const server = await start({ coldMs: 600_000 })
    const visit = open(server, path, body)
    await until(() => server.requests.length === 1)
    await server[Symbol.asyncDispose]()
    expect((await visit.outcome).broken).toBe('ECONNRESET')
  })
})

describe('where things are', () => {
  test.for([
    ['POST', '/v1/chat/completions', 200],
    ['POST', '/v1/completions', 404],
    ['POST', '/development/sync/v1/completions', 200],
    ['POST', '/environments/staging/sync/v1/chat/completions', 200],
    ['POST', '/deployment/w5x/predict', 200],
    ['POST', '/predict', 200],
    ['POST', '/sync/v1/chat/completions', 200],
    ['POST', '/production/run_remote', 200],
    ['POST', '/production/wake', 202],
    ['POST', '/elsewhere/predict', 404],
    ['POST', '/production', 404],
  ] as const)('%s %s: %i', async ([, path, status]) => {
    await using server = await start()
    const body = { model: 'sim-echo', messages, prompt: 'x' }
    expect((await ask(server, path, body)).status).toBe(status)
  })

  test.for([
    ['/production/sync/health', '{}'],
    ['/production/sync/v1/models', '{"object":"list","data":[{"id":"simulated","object":"model"}]}'],
  ] as const)('GET %s', async ([path, body]) => {
    await using server = await start()
    expect(await get(server, path)).toMatchObject({ status: 200, body })
    expect(server.bill()).toEqual([])
  })
})
