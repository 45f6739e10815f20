import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AnthropicStack, anthropicStacks, startAlone, startBeforeTogether } from './stacks.ts'

const messages = [{ role: 'user', content: 'one two three' }]
const weather = {
  name: 'weather',
  description: 'The weather of a place.',
  input_schema: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } },
}

type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The fields that these tests read. */
  readonly body: {
    readonly content: readonly { readonly text?: string }[]
    readonly stop_reason: string
    readonly input_tokens: number
  }
}

async function ask(
  { gateway }: Pick<AnthropicStack, 'gateway'>,
  body: object | string,
  path = '/v1/messages',
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify({ max_tokens: 100, messages, ...body }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type') === 'application/json'
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}

type Event = {
  readonly type: string
  readonly index?: number
  readonly content_block?: { readonly type: string }
  readonly delta?: { readonly partial_json?: string }
}

/** The events of a whole answer: each of two lines, the name the same as the type. */
function eventsOf({ text }: Answer): readonly Event[] {
  expect(text).toMatch(/\n\n$/)
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((frame) => {
      const [, name, json = ''] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? []
      const event = JSON.parse(json) as Event
      expect(event.type).toBe(name)
      return event
    })
}

describe.for(anthropicStacks)('a gateway $name', ({ thinksWhole, start }) => {
  let stack: AnthropicStack
  beforeAll(async () => {
    stack = await start()
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  test.for(['/v1', '/inference', '/inference/v1'])('answers a message below %s', async (prefix) => {
    const { status, headers, body } = await ask(stack, { model: 'sim-echo' }, `${prefix}/messages?beta=true`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      type: 'message',
      role: 'assistant',
      model: 'sim-echo',
      content: [{ type: 'text', text: 'one two three' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 3,
        output_tokens: 3,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
      },
    })
    expect(headers.get('request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    expect(headers.get('request-id')).toBe(headers.get('x-request-id'))
  })

  test('streams one, event by event', async () => {
    const answer = await ask(stack, { model: 'sim-echo', stream: true })
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(answer.headers.get('request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    const events = eventsOf(answer)
    expect(events.map(({ type }) => type)).toEqual([
      ...['message_start', 'ping', 'content_block_start'],
      ...['content_block_delta', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ])
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { input_tokens: 3, output_tokens: 3 },
    })
  })

  test('thinks, then calls a tool, whole and in a stream', async () => {
    const asked = { model: 'sim-reasoning-tools-echo', tools: [weather] }
    const thought = { type: 'thinking', thinking: expect.stringContaining('simulated'), signature: '' }
    const use = { type: 'tool_use', name: 'weather', input: { city: 'x', days: 1 } }
    const { body } = await ask(stack, asked)
    expect(body.content).toMatchObject(thinksWhole ? [thought, use] : [use])
    expect(body.stop_reason).toBe('tool_use')
    const events = eventsOf(await ask(stack, { ...asked, stream: true }))
    const starts = events.filter(({ type }) => type === 'content_block_start')
    expect(starts.map(({ index, content_block: block }) => [index, block?.type])).toEqual([
      [0, 'thinking'],
      [1, 'tool_use'],
    ])
    const spelled = events.map(({ delta }) => delta?.partial_json ?? '').join('')
    expect(JSON.parse(spelled)).toEqual({ city: 'x', days: 1 })
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } })
  })

  test('answers the result of a tool', async () => {
    const { body } = await ask(stack, {
      model: 'sim-tools-echo',
      tools: [weather],
      messages: [
        ...messages,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: '' },
            { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'x' } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'sunny' }] },
      ],
    })
    expect(body).toMatchObject({
      content: [{ type: 'text', text: 'one two three' }],
      stop_reason: 'end_turn',
    })
  })

  test('ends at the bound on tokens, and before a stop sequence', async () => {
    const long = await ask(stack, { model: 'sim-length', max_tokens: 5 })
    expect(long.body).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } })
    const stopped = await ask(stack, { model: 'sim-echo', stop_sequences: ['three'] })
    expect(stopped.body.content[0]?.text?.trim()).toBe('one two')
  })

  test.for(['sim-cut-2-echo', 'sim-reasoning-cut-3-echo', 'sim-tools-cut-2'])(
    'a stream of %s ends with an error, and never looks complete',
    async (model) => {
      const answer = await ask(stack, { model, stream: true, tools: [weather] })
      const events = eventsOf(answer)
      expect(events.at(-1)).toEqual({
        type: 'error',
        error: { type: 'api_error', message: expect.any(String) },
        request_id: answer.headers.get('request-id'),
      })
      for (const { type } of events) expect(['message_delta', 'message_stop']).not.toContain(type)
      const line = await stack.gateway.record(answer.headers.get('request-id'))
      expect(line).toMatchObject({ dialect: 'messages', outcome: 'failed' })
    },
  )

  test('half an answer is none', async () => {
    const { status, body } = await ask(stack, { model: 'sim-cut-2-echo' })
    expect(status).toBe(502)
    expect(body).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  })

  test.for<[string, object | string, string, Record<string, string>, number, string]>([
    ['no messages', { messages: null, model: 'sim-echo' }, '/v1/messages', {}, 400, 'invalid_request_error'],
    ['no JSON', '{', '/v1/messages', {}, 400, 'invalid_request_error'],
    ['no JSON to count', '{', '/v1/messages/count_tokens', {}, 400, 'invalid_request_error'],
    ['another type', '{}', '/v1/messages', { 'content-type': 'text/plain' }, 415, 'invalid_request_error'],
    [
      'a choice that is none',
      { model: 'sim-echo', tool_choice: { type: 'any' } },
      '/v1/messages',
      {},
      400,
      'invalid_request_error',
    ],
    ['an unknown path', {}, '/v1/messages/batches', {}, 404, 'not_found_error'],
    ['a path elsewhere', {}, '/v1/nothing', {}, 404, 'not_found_error'],
    ['an unknown model', { model: 'sim-status-404' }, '/v1/messages', {}, 404, 'not_found_error'],
    ['a limit', { model: 'sim-ratelimit-7' }, '/v1/messages', {}, 429, 'rate_limit_error'],
    ['an overload', { model: 'sim-status-503' }, '/inference/messages', {}, 503, 'overloaded_error'],
    ['an upstream that fails', { model: 'sim-status-500' }, '/v1/messages', {}, 502, 'api_error'],
    ['the same of a stream', { model: 'sim-status-500', stream: true }, '/v1/messages', {}, 502, 'api_error'],
  ])('tells of %s in Anthropic’s words', async ([, body, path, more, status, type]) => {
    const answer = await ask(stack, body, path, more)
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({
      type: 'error',
      error: { type, message: expect.any(String) },
      request_id: answer.headers.get('x-request-id'),
    })
    expect(answer.headers.get('request-id')).toBe(answer.headers.get('x-request-id'))
    if (status === 429) expect(answer.headers.get('retry-after')).toBe('7')
  })

  test('a method it has not is told so in the same words', async () => {
    const response = await fetch(`${stack.gateway.url}/v1/messages`)
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  test('counts tokens, and says that it estimates', async () => {
    const count = async (more: object) => {
      const { status, headers, body } = await ask(
        stack,
        { model: 'sim-echo', ...more },
        '/v1/messages/count_tokens',
      )
      expect(status).toBe(200)
      expect(headers.get('x-pandotate-estimated')).toBe('true')
      expect(Object.keys(body)).toEqual(['input_tokens'])
      return body.input_tokens
    }
    const plain = await count({})
    expect(plain).toBeGreaterThan(3)
    expect(await count({ system: 'Be brief, and be kind.' })).toBeGreaterThan(plain)
    expect(await count({ tools: [weather] })).toBeGreaterThan(plain + 10)
  })
})

describe('Together', () => {
  test('is asked as for a chat, and what a chat has no place for is named', async () => {
    await using stack = await startBeforeTogether('b')
    const { headers } = await ask(stack, {
      model: 'sim-echo',
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      tools: [weather, { type: 'web_search_20250305', name: 'web_search' }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      thinking: { type: 'enabled', budget_tokens: 2000 },
      metadata: { user_id: 'u1' },
      top_k: 40,
      service_tier: 'auto',
      'x-odd': { deep: [1] },
    })
    expect(headers.get('x-pandotate-dropped-params')?.split(', ').toSorted()).toEqual([
      ...['cache_control', 'service_tier', 'tools.web_search_20250305'],
    ])
    expect(JSON.parse(stack.together.requests.at(-1)?.body ?? '')).toEqual({
      model: 'sim-echo',
      max_tokens: 100,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'one two three' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: weather.description,
            parameters: weather.input_schema,
          },
        },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: false,
      stop: ['END'],
      reasoning_effort: 'low',
      user: 'u1',
      top_k: 40,
      'x-odd': { deep: [1] },
    })
  })
})

describe('keys', () => {
  test('may come as Anthropic’s clients send them', async () => {
    await using stack = await startAlone("auth: { keys: ['sk-gateway-0123456789'] }")
    for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
      const headed = async (headers: Record<string, string>) =>
        await ask(stack, { model: 'sim-echo' }, path, headers)
      for (const headers of [{}, { 'x-api-key': 'sk-wrong' }, { authorization: 'Bearer sk-wrong' }]) {
        const { status, body } = await headed(headers as Record<string, string>)
        expect(status).toBe(401)
        expect(body).toMatchObject({ type: 'error', error: { type: 'authentication_error' } })
      }
      for (const name of ['x-api-key', 'api-key']) {
        expect((await headed({ [name]: 'sk-gateway-0123456789' })).status).toBe(200)
      }
      expect((await headed({ authorization: 'Bearer sk-gateway-0123456789' })).status).toBe(200)
    }
  })
})
