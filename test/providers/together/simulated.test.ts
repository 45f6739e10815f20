import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { costNanoUsd } from '../../../src/core/model/price.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { together } from '../../../src/providers/together/together.ts'
import { priceOf, type TogetherModel, togetherModels } from '../../../src/simulator/together/models.ts'
import { simulateTogether, type TogetherOptions } from '../../../src/simulator/together/together.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import type { CallChange } from '../../harness/core/json-text.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { tools } from '../../harness/tools.ts'
import { until } from '../../simulator/harness.ts'

const priced = (id: string, engine: 'a' | 'b', more: Partial<TogetherModel> = {}): TogetherModel => ({
  ...{ id, type: 'chat', contextTokens: 1000, input: 0.25999999999999995, output: 1.0399999999999998 },
  engine,
  ...more,
})

const models: readonly TogetherModel[] = [
  ...togetherModels,
  ...[
    'echo',
    'tools-echo',
    'reasoning-echo',
    'length',
    'long-100',
    'cut-2',
    'stall-2',
    'long-20-cut-4',
  ].flatMap((behaviour) => [priced(`old/sim-${behaviour}`, 'a'), priced(`new/sim-${behaviour}`, 'b')]),
  priced('new/sim-drip-600000-long-9', 'b'),
  priced('shy/sim-echo', 'b', { reportsUsageOnRequest: true }),
  priced('old/sim-long-3', 'a', { contextTokens: 4 }),
  priced('new/sim-long-3', 'b', { contextTokens: 1 }),
]

/** Our provider of a fake Together, with the key it asks for. */
async function scene(options: Partial<TogetherOptions> = {}, apiKey = 'tgp_v1_right') {
  const server = await simulateTogether({
    host: '127.0.0.1',
    port: 0,
    key: 'tgp_v1_right',
    models,
    ...options,
  })
  const settings = together.settings.parse({ baseUrl: `${server.origin}/v1`, apiKey })
  const upstream = together.create('together', settings, tools)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } },
  },
}

const messages = [{ role: 'user', content: 'one two' }]

/** What the caller was told would cost, by the prices of the list. */
function costOf(model: string, usage: JsonObject | undefined): number | undefined {
  const row = models.find(({ id }) => id === model)
  const { prompt_tokens: prompt, completion_tokens: completion } = usage ?? {}
  const used = { promptTokens: Number(prompt), completionTokens: Number(completion), cachedTokens: 0 }
  return row && costNanoUsd(priceOf(row), { ...used, workedMs: undefined })
}

describe.for([
  ['text', false],
  ['text', true],
  ['chat', false],
  ['chat', true],
] as const)('%s, stream %s', ([kind, stream]) => {
  const ask = (model: string, more: CallChange = {}) => call({ model, kind, stream, ...more })

  test.for(['old/sim-echo', 'new/sim-echo', 'shy/sim-echo', 'sim-echo'])('%s answers', async (model) => {
    await using together = await scene()
    const told = await tell(together.upstream, ask(model))
    expect(told).toMatchObject({ text: 'one two', reason: 'stop', failure: undefined })
    expect(told.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 })
  })

  test.for(['old/sim-long-100', 'new/sim-long-100', 'shy/sim-echo', 'old/sim-length', 'new/sim-length'])(
    'what %s told is what it charges for',
    async (model) => {
      await using together = await scene()
      const told = await tell(together.upstream, ask(model))
      expect(together.server.bill()).toEqual([
        {
          attempt: 'req_0-0',
          model,
          promptTokens: 2,
          cachedTokens: 0,
          completionTokens: told.usage?.['completion_tokens'],
          workedMs: undefined,
          nanoUsd: costOf(model, told.usage),
        },
      ])
      expect(costOf(model, told.usage)).toBeGreaterThan(0)
    },
  )

  test.for([
    ['old/sim-length', 7],
    ['new/sim-length', 7],
  ] as const)('%s ends where it is told to', async ([model, most]) => {
    await using together = await scene()
    const body = { prompt: 'one two', messages, max_completion_tokens: most, stop: 'none' }
    const told = await tell(together.upstream, ask(model, { body }))
    expect(told).toMatchObject({ reason: 'length', usage: { completion_tokens: most } })
    expect(told.text.trim().split(' ')).toHaveLength(most)
  })

  test.for([
    ['sim-status-400', {}, 'rejected', { upstreamStatus: 400 }],
    ['sim-status-401', {}, 'upstream_auth', { operatorNote: 'TOGETHER_API_KEY' }],
    ['sim-status-402', {}, 'upstream_auth', { upstreamStatus: 402 }],
    ['sim-status-403', {}, 'context_length', { upstreamStatus: 403 }],
    ['sim-status-404', {}, 'model_not_found', { elsewhere: true }],
    ['sim-status-500', {}, 'upstream_error', { retryAfterMs: undefined }],
    ['sim-status-503', {}, 'overloaded', { retryAfterMs: 2000 }],
    ['sim-status-521', {}, 'upstream_error', { upstreamStatus: 521 }],
    ['sim-flaky-1', {}, 'overloaded', { retryAfterMs: 2000 }],
    ['sim-ratelimit-7', {}, 'rate_limited', { retryAfterMs: 7000 }],
    ['sim-ratelimit-7', { limit: 'model_rate_limit' }, 'rate_limited', { retryAfterMs: 7000 }],
    ['sim-ratelimit-7', { limit: 'dynamic_token_limited' }, 'rate_limited', { retryAfterMs: 7000 }],
    ['sim-ratelimit-7', { limit: 'credit_limit' }, 'rate_limited', { retryAfterMs: 7000 }],
    ['sim-nonsense', {}, 'model_not_found', { elsewhere: true }],
    ['some/other-model', {}, 'model_not_found', { elsewhere: true, upstreamStatus: 404 }],
    [
      'mistralai/Mixtral-8x7B-Instruct-v0.1',
      {},
      'model_not_found',
      { elsewhere: true, upstreamStatus: 400, message: expect.stringContaining('non-serverless') },
    ],
    [
      'mistralai/Mistral-Small-24B-Instruct-2501',
      {},
      'model_not_found',
      { elsewhere: true, upstreamStatus: 400, message: expect.stringContaining('not running') },
    ],
    ['new/sim-long-3', {}, 'context_length', { upstreamStatus: 400 }],
    ['sim-reset', {}, 'unreachable', {}],
    ['sim-badjson', {}, 'invalid_response', {}],
    ['sim-html', {}, 'invalid_response', {}],
    ['sim-empty', {}, 'invalid_response', {}],
  ] as const)('%s with %j is %s, and costs nothing', async ([model, options, failure, detail]) => {
    await using together = await scene(options)
    const told = await tell(together.upstream, ask(model))
    expect(told.failure).toMatchObject({ kind: failure, provider: 'together', ...detail })
    expect(together.server.bill()).toEqual([])
    expect(together.server.hits()).toBe(1)
  })

  test('a wrong key is refused', async () => {
    await using together = await scene({}, 'tgp_v1_wrong')
    const told = await tell(together.upstream, ask('sim-echo'))
    expect(told.failure).toMatchObject({ kind: 'upstream_auth', upstreamStatus: 401 })
  })

  test('the older engine counts the answer against the context as well', async () => {
    await using together = await scene()
    const asked = ask('old/sim-long-3', { body: { prompt: 'one two', messages, max_tokens: 3 } })
    const told = await tell(together.upstream, asked)
    expect(told.failure).toMatchObject({ kind: 'context_length', param: 'max_tokens' })
  })

  test.for(['old/sim-cut-2', 'new/sim-cut-2'])(
    '%s breaks off, and charges what it generated',
    async (model) => {
      await using together = await scene()
      const told = await tell(together.upstream, ask(model))
      expect(told.failure).toMatchObject({ kind: 'interrupted' })
      expect(together.server.bill()).toMatchObject([
        {
          ...{ attempt: 'req_0-0', promptTokens: 2, completionTokens: 2 },
          nanoUsd: costOf(model, { prompt_tokens: 2, completion_tokens: 2 }),
        },
      ])
      expect(together.server.abandoned()).toBe(0)
    },
  )

  test.for(['old/sim-stall-2', 'new/sim-stall-2', 'new/sim-drip-600000-long-9', 'sim-stall-0'])(
    'a caller who leaves %s is charged what was generated so far',
    async (model) => {
      await using together = await scene()
      const attempt = startAttempt(model)
      const told = tell(together.upstream, ask(model), attempt)
      await until(() => together.server.requests.length === 1)
      attempt.controller.abort(new Failure('caller_left', 'The caller left.'))
      expect((await told).failure).toMatchObject({ kind: 'caller_left' })
      await until(() => together.server.abandoned() === 1)
      const generated = model.includes('stall-0') ? [] : [model.includes('drip') ? 1 : 2]
      await until(() => together.server.bill().length === generated.length)
      expect(together.server.bill().map(({ completionTokens }) => completionTokens)).toEqual(generated)
    },
  )
})

describe('in a chat', () => {
  test.for([
    ['old/sim-tools-echo', false],
    ['old/sim-tools-echo', true],
    ['new/sim-tools-echo', false],
    ['new/sim-tools-echo', true],
  ] as const)('%s calls a tool, stream %s', async ([model, stream]) => {
    await using together = await scene()
    const body = { messages, tools: [weather] }
    const told = await tell(together.upstream, call({ model, kind: 'chat', stream, body }))
    expect(told.reason).toBe('tool_calls')
    expect(told.reply?.choices[0]?.message?.tool_calls).toMatchObject([
      {
        id: 'call_simulated',
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"x","days":1}' },
      },
    ])
    expect(together.server.bill()[0]?.nanoUsd).toBe(costOf(model, told.usage))
  })

  test.for([false, true])('the newer engine thinks apart from what it says, stream %s', async (stream) => {
    await using together = await scene()
    const told = await tell(
      together.upstream,
      call({ model: 'new/sim-reasoning-echo', kind: 'chat', stream }),
    )
    expect(told.reply?.choices[0]?.message).toMatchObject({
      content: 'one two',
      reasoning_content: expect.stringContaining('simulated'),
    })
  })

  test('what OpenAI names otherwise is taken', async () => {
    await using together = await scene()
    const body = {
      messages: [{ role: 'developer', content: 'be brief' }, ...messages],
      ...{ stop: 'two', logprobs: true, top_logprobs: 2, user: 'u', store: true, parallel_tool_calls: true },
    }
    const told = await tell(together.upstream, call({ model: 'new/sim-echo', kind: 'chat', body }))
    expect(told).toMatchObject({ text: 'one ', reason: 'stop', failure: undefined })
  })
})

test.for([
  ['choice', 'upstream_error'],
  ['chunk', 'upstream_error'],
  ['connection', 'interrupted'],
] as const)('a stream may break off by its %s, and what came before is kept', async ([breaks, kind]) => {
  await using together = await scene({ breaks })
  const told = await tell(together.upstream, call({ model: 'sim-drip-1-cut-3', kind: 'chat', stream: true }))
  expect(told).toMatchObject({ text: expect.stringMatching(/^Hello/), failure: { kind } })
  expect(together.server.bill()[0]).toMatchObject({ completionTokens: 3, nanoUsd: undefined })
})

test('a stream of which no usage is asked for has none, where the model is so', async () => {
  await using together = await scene()
  const asks = (stream_options?: JsonObject) =>
    fetch(`${together.server.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer tgp_v1_right' },
      body: JSON.stringify({ model: 'shy/sim-echo', messages, stream: true, stream_options }),
    }).then((answer) => answer.text())
  expect(await asks()).not.toContain('prompt_tokens')
  expect(await asks({ include_usage: true })).toContain('prompt_tokens')
})

test('the list is read as it is priced', async () => {
  await using together = await scene()
  const listed = await together.upstream.listModels?.(new AbortController().signal)
  expect(listed).toHaveLength(models.length)
  for (const { id, contextTokens, price } of listed ?? []) {
    const row = models.find((model) => model.id === id)
    expect({ contextTokens, price }).toEqual({
      contextTokens: row?.contextTokens,
      price:
        row &&
        (row.input === 0 ? expect.objectContaining({ inputNanoUsdPerMillion: undefined }) : priceOf(row)),
    })
  }
})

test.for<[Kind, string]>([
  ['text', 'text.completion'],
  ['chat', 'chat.completion'],
])('of a %s its own name for the answer is %s, and ours is put right', async ([kind, object]) => {
  await using together = await scene()
  const told = await tell(together.upstream, call({ model: 'old/sim-echo', kind }))
  expect(told.reply?.object).toBe(kind === 'text' ? 'text_completion' : object)
})

test('a chat of several choices is one request, and one line on the bill', async () => {
  await using together = await scene()
  expect(together.upstream.oneChoice).toEqual({ text: true, chat: false })
  const asked = call({ model: 'new/sim-echo', kind: 'chat', body: { messages, n: 2 } })
  const told = await tell(together.upstream, asked)
  expect(told.reply?.choices.map(({ message }) => message?.content)).toEqual(['one two', 'one two'])
  expect(together.server.bill()).toHaveLength(1)
})
