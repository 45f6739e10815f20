import { describe, expect, test } from 'vitest'
import { ask, chat, get, id, messages, start } from './harness.ts'

describe('what it refuses', () => {
  const envelope = (message: string, code: string | null, param: string | null = null) => ({
    id,
    error: { message: expect.stringContaining(message), type: 'invalid_request_error', param, code },
  })

  test.for([
    ['no key', chat, {}, undefined, 401, envelope('Invalid API key provided.', 'invalid_api_key')],
    ['a wrong key', chat, {}, 'Bearer other', 401, envelope('Invalid API key provided.', 'invalid_api_key')],
    ['a route that is none', '/v1/nothing', {}, 'Bearer k', 404, envelope('/v1/nothing', null)],
    ['half a JSON', chat, '{"model"', 'Bearer k', 400, envelope('Invalid JSON', null)],
    ['no model', chat, { messages }, 'Bearer k', 400, envelope('model is required', null, 'model')],
    [
      'a strange model',
      chat,
      { model: 'foo', messages },
      'Bearer k',
      404,
      envelope('foo', 'model_not_available'),
    ],
    [
      'a strange behaviour',
      chat,
      { model: 'a/sim-foo', messages },
      'Bearer k',
      404,
      envelope('slow-MS', 'model_not_available'),
    ],
    [
      'a stop alone',
      chat,
      { model: 'sim-echo', messages, stop: 'a' },
      'Bearer k',
      400,
      envelope('stop', null, 'stop'),
    ],
    [
      'log probabilities by true',
      chat,
      { model: 'sim-echo', messages, logprobs: true },
      'Bearer k',
      400,
      envelope('logprobs', null, 'logprobs'),
    ],
    [
      '129 choices',
      chat,
      { model: 'sim-echo', messages, n: 129 },
      'Bearer k',
      400,
      envelope('n must', null, 'n'),
    ],
    [
      'a developer',
      chat,
      { model: 'sim-echo', messages: [{ role: 'developer', content: '' }] },
      'Bearer k',
      400,
      envelope('messages', null, 'messages'),
    ],
    [
      'two prompts',
      '/v1/completions',
      { model: 'sim-echo', prompt: ['a', 'b'] },
      'Bearer k',
      400,
      envelope('prompt', null, 'prompt'),
    ],
    ['no input', '/v1/embeddings', { model: 'sim-echo' }, 'Bearer k', 400, envelope('input', null)],
  ] as const)('%s', async ([, path, body, authorization, status, error]) => {
    await using server = await start({ key: 'k' })
    const outcome = await ask(server, path, body, authorization === undefined ? {} : { authorization })
    expect(outcome.status).toBe(status)
    expect(JSON.parse(outcome.body)).toEqual(error)
  })

  test('a list without a key has its own shape', async () => {
    await using server = await start({ key: 'k' })
    expect(await get(server, '/v1/models')).toMatchObject({
      status: 401,
      body: '{"error":{"message":"Unauthorized"}}',
    })
  })

  test.for([
    ['rate_limit', 'rate limiting'],
    ['model_rate_limit', 'specific to this model sim-ratelimit-7'],
    ['dynamic_request_limited', 'dynamic'],
    ['dynamic_token_limited', 'dynamic'],
    ['credit_limit', 'have been rate limited'],
  ] as const)('too much, as %s', async ([limit, message]) => {
    await using server = await start({ limit })
    const { status, headers, body } = await ask(server, chat, { model: 'sim-ratelimit-7', messages })
    expect(status).toBe(429)
    expect(headers).toMatchObject({ 'x-ratelimit': 'true', 'retry-after': '7' })
    expect(JSON.parse(body).error).toMatchObject({
      type: limit,
      message: expect.stringContaining(message),
      code: null,
    })
  })

  test('at its edge, without JSON', async () => {
    await using server = await start()
    expect(await ask(server, chat, { model: 'sim-status-521', messages })).toMatchObject({
      ...{ status: 521, body: 'error code: 521' },
      headers: expect.objectContaining({ 'content-type': 'text/plain' }),
    })
  })
})
