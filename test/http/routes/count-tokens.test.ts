import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../../src/core/authenticate.ts'
import type { TokenCounter } from '../../../src/core/model/ports.ts'
import { createBodyReader } from '../../../src/http/call/body.ts'
import { serveCountTokens } from '../../../src/http/routes/count-tokens.ts'
import { mount } from '../../harness/mounted-route.ts'

const path = '/v1/messages/count_tokens'
const asked = { model: 'known', messages: [{ role: 'user', content: 'three words here' }] }

/** A token is what stands between spaces and line ends. */
const counter: TokenCounter = {
  count: async (text) => text.split(/\s+/).filter((word) => word !== '').length,
}

function start(keys: readonly string[] = [], strict = false) {
  return mount((router) =>
    serveCountTokens(router, '/v1', {
      gateway: {
        ownerOf: (model) => (model === 'known' ? 'someone' : undefined),
        models: () => [{ id: 'known', ownedBy: 'someone' }],
      },
      gate: createAuthenticator({ keys, adminKeys: [] }),
      counter,
      readBody: createBodyReader({ bodyBytes: 10_000, jsonDepth: 20, jsonNodes: 10_000 }),
      strict,
    }),
  )
}

describe('A count of tokens', () => {
  const tool = { name: 'a', input_schema: { type: 'object' } }
  const image = { type: 'image', source: { type: 'url', url: 'https://x.test/a b c d' } }
  const around = 3 + 4
  test.for<[string, object, number]>([
    ['the words of a message, and the template around them', {}, around + 3],
    ['the system prompt, too', { system: 'be very brief' }, around + 4 + 3 + 3],
    [
      "no line of Claude Code's own at the head of it",
      { system: 'x-anthropic-billing-header: cc_version=1.2; cch=ab12c;\n\nbe very brief' },
      around + 4 + 3 + 3,
    ],
    ['tools as the JSON they are', { tools: [tool] }, around + 3 + 1],
    [
      'what was thought and called',
      {
        messages: [
          ...asked.messages,
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'two words', signature: '' },
              { type: 'tool_use', id: 't', name: 'a', input: {} },
            ],
          },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'its result' }] },
        ],
      },
      3 + 4 * 3 + 3 + 2 + 1 + 2,
    ],
    [
      'an image as a thousand',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image] }] },
      around + 1 + 1000,
    ],
  ])('holds %s', async ([, more, tokens]) => {
    await using counting = await start()
    const { status, headers, body } = await counting.post(path, { ...asked, ...more })
    expect(status).toBe(200)
    expect(body).toEqual({ input_tokens: tokens })
    expect(headers.get('x-pandotate-estimated')).toBe('true')
    expect(headers.get('request-id')).toBe('req_of_the_question')
    expect(headers.get('x-request-id')).toBe('req_of_the_question')
  })

  test('is had without a bound on tokens, strict or not, and for a model that stands in', async () => {
    await using counting = await start([], true)
    expect((await counting.post(path, asked)).status).toBe(200)
    expect((await counting.post(path, { ...asked, model: 'other', models: ['known'] })).status).toBe(200)
  })

  test.for<[string, object, number, string]>([
    ['an unknown model', { ...asked, model: 'unknown' }, 404, 'not_found_error'],
    ['no model', { messages: asked.messages }, 400, 'invalid_request_error'],
    ['no messages', { model: 'known' }, 400, 'invalid_request_error'],
    ['a field that is not right', { ...asked, system: 5 }, 400, 'invalid_request_error'],
  ])('cannot be had with %s', async ([, body, status, type]) => {
    await using counting = await start()
    const answer = await counting.post(path, body)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ type: 'error', error: { type }, request_id: 'req_of_the_question' })
    expect(answer.headers.get('request-id')).toBe('req_of_the_question')
  })

  test('asks for a key where there are keys', async () => {
    await using counting = await start(['sk-right'])
    const refused = await counting.post(path, asked)
    expect(refused).toMatchObject({ status: 401, body: { error: { type: 'authentication_error' } } })
    expect((await counting.post(path, asked, { 'x-api-key': 'sk-right' })).status).toBe(200)
  })
})
