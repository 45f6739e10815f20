import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Call, Delta } from '../../../src/core/model/call.ts'
import { type JsonObject, parseJson } from '../../../src/core/model/json/json.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { createNormalizer } from '../../../src/core/reply/normalize.ts'
import { createOpenAiStream } from '../../../src/dialects/openai/stream.ts'
import { together } from '../../../src/providers/together/together.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, startRawServer, streamed } from '../../harness/raw-server.ts'
import { sentBursts } from '../../harness/sent.ts'
import { tools } from '../../harness/tools.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/together/${name}`, import.meta.url), 'utf8')

/** Together, on bare sockets, with one answer to everything. */
async function answering(bytes: Buffer) {
  const server = await startRawServer((socket) => socket.write(bytes))
  const settings = together.settings.parse({ baseUrl: `${server.origin}/v1`, apiKey: 'tgp_v1_own_key' })
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

/** The frames that a caller of the gateway would read. */
async function framesOf(upstream: Upstream, asked: Call): Promise<string> {
  const parts = { kind: asked.kind, stream: true, id: 'x', model: 'm', createdEpochSeconds: 0 }
  const normalizer = createNormalizer({ ...parts, flags: new Set() })
  const deltas: Delta[] = []
  for await (const burst of sentBursts(upstream.send(asked, startAttempt(asked.model))))
    deltas.push(...normalizer.accept(burst))
  return createOpenAiStream(asked).encode(deltas)
}

test('is to be found at its own address, with nothing set', () => {
  expect(together.settings.parse({})).toMatchObject({
    baseUrl: 'https://api.together.ai/v1',
    models: [],
    retries: 1,
  })
  expect(together.settings.safeParse({ apiKeys: 'k' }).success).toBe(false)
})

describe('what it is asked', () => {
  type Row = readonly [kind: Kind, source: string, sent: string, converted: readonly string[]]
  const rows: readonly Row[] = [
    ['chat', '{"model":"m", "seed":12192233397672327001 ,"messages":[]}', '', []],
    [
      'chat',
      '{"model":"m","messages":[],"parallel_tool_calls":false,"store":true,"metadata":{"a":1},"user":"u","top_k":3}',
      '',
      [],
    ],
    ['text', '{"model":"m","prompt":"hi","logprobs":3,"stop":["a"]}', '', []],
    [
      'chat',
      '{"model":"m","messages":[],"max_completion_tokens":5,"seed":12192233397672327001}',
      '{"model":"m","messages":[],"seed":12192233397672327001,"max_tokens":5}',
      ['max_completion_tokens to max_tokens'],
    ],
    [
      'chat',
      '{"model":"m","messages":[{"role":"developer","content":"be brief"}]}',
      '{"model":"m","messages":[{"role":"system","content":"be brief"}]}',
      ['developer messages to system'],
    ],
    ['chat', '{"model":"m","stop":"."}', '{"model":"m","stop":["."]}', ['stop to a list']],
    [
      'text',
      '{"model":"m","stop":".","prompt":""}',
      '{"model":"m","stop":["."],"prompt":""}',
      ['stop to a list'],
    ],
    [
      'chat',
      '{"model":"m","logprobs":true,"top_logprobs":3}',
      '{"model":"m","logprobs":3}',
      ['logprobs to 3'],
    ],
    ['chat', '{"model":"m","logprobs":true}', '{"model":"m","logprobs":1}', ['logprobs to 1']],
    ['chat', '{"model":"m","logprobs":false}', '{"model":"m"}', []],
  ]

  test.for(rows)('%s: %s', async ([kind, source, sent, converted]) => {
    await using scene = await answering(answer(fixture(kind === 'chat' ? 'reply-a.json' : 'reply-text.json')))
    const attempt = startAttempt('m')
    const body = parseJson(source) as JsonObject
    const told = await tell(scene.upstream, call({ model: 'm', kind, body, source }), attempt)
    expect(told.failure).toBeUndefined()
    const [request] = scene.server.requests
    expect(request?.body).toBe(sent === '' ? source : sent)
    expect(request?.path).toBe(kind === 'chat' ? '/v1/chat/completions' : '/v1/completions')
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer tgp_v1_own_key',
      'user-agent': 'tester/1',
    })
    expect(attempt.notes).toMatchObject({ converted, dropped: [] })
  })

  test('for a stream is its usage too, which a caller who did not ask never sees', async () => {
    await using scene = await answering(streamed([fixture('stream-b.sse')]))
    const asked = call({ model: 'm', kind: 'chat', stream: true, body: { stream: true, messages: [] } })
    const frames = await framesOf(scene.upstream, asked)
    expect(JSON.parse(scene.server.requests[0]?.body ?? '')).toMatchObject({
      stream_options: { include_usage: true },
    })
    expect(frames).not.toContain('prompt_tokens')
    expect(frames).not.toContain('"choices":[]')
    expect(frames).toContain('"content":"one"')
  })

  test('a prompt of token ids is spelled out', async () => {
    await using scene = await answering(answer(fixture('reply-text.json')))
    const attempt = startAttempt('m')
    const asked = call({ model: 'm', body: { model: 'm', prompt: [1, 2, 3] } })
    await Array.fromAsync(sentBursts(scene.upstream.send(asked, attempt)))
    expect(JSON.parse(scene.server.requests[0]?.body ?? '')).toEqual({ model: 'm', prompt: '<1><2><3>' })
    expect(attempt.notes.converted).toEqual(['token ids to text (cl100k_base)'])
  })
})

describe('what it answers', () => {
  test.for([
    ['stream-a.sse', 'one two', 'stop', { prompt_tokens: 13, completion_tokens: 3, cached_tokens: 0 }],
    ['stream-a-length.sse', 'one two', 'length', { prompt_tokens: 13 }],
    ['stream-a-eos.sse', 'one two', 'stop', { completion_tokens: 3 }],
    ['stream-b.sse', 'one two', 'stop', { prompt_tokens: 75, completion_tokens: 77, reasoning_tokens: 0 }],
  ] as const)('in %s is understood', async ([name, text, reason, usage]) => {
    await using scene = await answering(streamed(fixture(name).split(/(?<=\n\n)/)))
    const told = await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream: true }))
    expect(told).toMatchObject({ text, reason, failure: undefined })
    expect(told.usage).toMatchObject(usage)
  })

  test('keeps every digit of a seed', async () => {
    await using scene = await answering(answer(fixture('reply-a.json')))
    const told = await tell(scene.upstream, call({ model: 'm', kind: 'chat' }))
    expect(JSON.stringify(told.reply)).toContain('"seed":2875093277637887001')
  })

  test('keeps every digit of a seed in a stream', async () => {
    await using scene = await answering(streamed([fixture('stream-a.sse')]))
    const asked = call({ model: 'm', kind: 'chat', stream: true })
    expect(await framesOf(scene.upstream, asked)).toContain('"seed":12192233397672327001')
  })

  test('with a call of a tool has its id and name once, and whole arguments', async () => {
    await using scene = await answering(streamed([fixture('stream-b-tools.sse')]))
    const told = await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream: true }))
    expect(told.reason).toBe('tool_calls')
    expect(told.reply?.choices[0]?.message?.tool_calls).toEqual([
      { id: 'call_9t1x', type: 'function', function: { name: 'square_root', arguments: '{"value": 413}' } },
    ])
  })

  test('with an error in a choice is a failure', async () => {
    await using scene = await answering(streamed([fixture('stream-b-error.sse')]))
    const told = await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream: true }))
    expect(told).toMatchObject({ reason: undefined, failure: { kind: 'upstream_error' } })
  })
})

describe('what it refuses', () => {
  const error = (message: string, type: string, code: string | null) =>
    JSON.stringify({ id: 'o', error: { message, type, param: null, code } })
  const invalid = 'invalid_request_error'
  const tooLong =
    'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 80125 `inputs` tokens and 4096 `max_new_tokens`'
  const longer = "The input (516368 tokens) is longer than the model's context length (262144 tokens)."

  test.for([
    [401, error('Invalid API key provided.', invalid, 'invalid_api_key'), 'upstream_auth', {}],
    [402, error('Spend limit reached.', invalid, null), 'upstream_auth', { elsewhere: true }],
    [403, error(longer, invalid, null), 'context_length', {}],
    [400, error(longer, invalid, null), 'context_length', {}],
    [422, error(tooLong, invalid, null), 'context_length', {}],
    [
      404,
      error('Unable to access model X.', invalid, 'model_not_available'),
      'model_not_found',
      { elsewhere: true },
    ],
    [
      404,
      error('Unable to access model X.', invalid, 'model_not_found'),
      'model_not_found',
      { elsewhere: true },
    ],
    [
      400,
      error('Unable to access non-serverless model X.', invalid, 'model_not_available'),
      'model_not_found',
      { elsewhere: true },
    ],
    [
      400,
      error('The dedicated endpoint for X is not running.', invalid, 'dedicated_endpoint_not_running'),
      'model_not_found',
      { elsewhere: true },
    ],
    [400, error('Input validation error', invalid, null), 'rejected', { retryAfterMs: undefined }],
    [429, error('Rate limited.', 'rate_limit', null), 'rate_limited', { retryAfterMs: 2000 }],
    [429, error('Rate limited.', 'model_rate_limit', null), 'rate_limited', { retryAfterMs: 2000 }],
    [429, error('Rate limited.', 'dynamic_request_limited', null), 'rate_limited', { retryAfterMs: 2000 }],
    [429, error('Rate limited.', 'dynamic_token_limited', null), 'rate_limited', { retryAfterMs: 2000 }],
    [429, error('Rate limited.', 'credit_limit', null), 'rate_limited', { retryAfterMs: 2000 }],
    [
      500,
      error('Internal server error', 'server_error', null),
      'upstream_error',
      { retryAfterMs: undefined },
    ],
    [503, error('Service unavailable', 'service_unavailable', null), 'overloaded', { retryAfterMs: 2000 }],
    [504, error('Timeout', 'server_error', null), 'upstream_error', { retryAfterMs: undefined }],
    [521, 'error code: 521', 'upstream_error', { retryAfterMs: undefined }],
    [524, 'error code: 524', 'upstream_error', { retryAfterMs: undefined }],
  ] as const)('with %s %s is %s', async ([status, body, kind, detail]) => {
    const type = body.startsWith('{') ? 'application/json' : 'text/plain'
    const headers = { 'retry-after': '2', 'content-type': type }
    await using scene = await answering(answer(body, { status, headers }))
    const told = await tell(scene.upstream, call({ model: 'm', kind: 'chat' }))
    expect(told.failure).toMatchObject({ kind, upstreamStatus: status, ...detail })
  })
})

test('lists its models, and what each costs', async () => {
  await using scene = await answering(answer(fixture('models.json')))
  const models = await scene.upstream.listModels?.(new AbortController().signal)
  expect(models).toHaveLength(7)
  expect(models?.[0]).toMatchObject({
    id: 'zai-org/GLM-5.2',
    contextTokens: 512_000,
    price: { cachedInputNanoUsdPerMillion: 260_000_000 },
  })
  expect(scene.server.requests[0]).toMatchObject({ method: 'GET', path: '/v1/models' })
})

test('a list that is refused blames the key', async () => {
  await using scene = await answering(answer('{"error":{"message":"Unauthorized"}}', { status: 401 }))
  await expect(scene.upstream.listModels?.(new AbortController().signal)).rejects.toMatchObject({
    kind: 'upstream_auth',
    provider: 'together',
    operatorNote: 'TOGETHER_API_KEY',
  })
})
