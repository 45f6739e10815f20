import Anthropic, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  type ClientOptions,
  GatewayTimeoutError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  ServiceUnavailableError,
} from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHeldUpstream } from '../held-upstream.ts'
import { startBefore, startStack } from '../stack.ts'
import { type AnthropicStack, anthropicStacks, startAlone, startBeforeTogether } from './stacks.ts'

const messages = [{ role: 'user' as const, content: 'one two three' }]
const hello = { max_tokens: 100, messages }
const weather = {
  name: 'weather',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
  },
}

/** Anthropic's own client, that tries once. Its base URL has no version. */
function createClient({ gateway }: Pick<AnthropicStack, 'gateway'>, options: ClientOptions = {}): Anthropic {
  return new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0, ...options })
}

describe.for(anthropicStacks)('Anthropic’s client and a gateway $name', ({ thinksWhole, start }) => {
  let stack: AnthropicStack
  let client: Anthropic
  beforeAll(async () => {
    stack = await start()
    client = createClient(stack)
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  test('create a message', async () => {
    const message = await client.messages.create({ model: 'sim-echo', ...hello })
    expect(message).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'one two three' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 3 },
    })
    expect(message._request_id).toMatch(/^req_[0-9a-f]{32}$/)
  })

  test('create one below every prefix', async () => {
    for (const prefix of ['/inference', '/']) {
      const near = createClient(stack, { baseURL: stack.gateway.url + prefix })
      const { content } = await near.messages.create({ model: 'sim-echo', ...hello })
      expect(content).toMatchObject([{ text: 'one two three' }])
    }
  })

  test('iterate a stream', async () => {
    const stream = await client.messages.create({ model: 'sim-echo', ...hello, stream: true })
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    expect(types).toEqual([
      ...['message_start', 'content_block_start'],
      ...['content_block_delta', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ])
  })

  test('gather a stream into the message it is, thoughts and all', async () => {
    const asked = { model: 'sim-reasoning-echo', ...hello }
    const stream = client.messages.stream(asked)
    const pieces: string[] = []
    const blocks: string[] = []
    stream.on('text', (piece) => pieces.push(piece))
    stream.on('contentBlock', ({ type }) => blocks.push(type))
    const message = await stream.finalMessage()
    expect(message).toMatchObject({
      content: [
        { type: 'thinking', thinking: expect.stringContaining('simulated'), signature: '' },
        { type: 'text', text: 'one two three' },
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3 },
    })
    expect(pieces).toEqual(['one', ' two', ' three'])
    expect(blocks).toEqual(['thinking', 'text'])
    expect(stream.request_id).toMatch(/^req_[0-9a-f]{32}$/)
    if (!thinksWhole) return
    const { content, usage } = await client.messages.create(asked)
    expect(content).toEqual(message.content)
    expect(usage).toEqual(message.usage)
  })

  test.for(['whole', 'in a stream'])('go round with a tool, %s', async (how) => {
    const asked = { model: 'sim-tools-echo', max_tokens: 100, tools: [weather] }
    const answer = (given: Anthropic.MessageParam[]): Promise<Anthropic.Message> =>
      how === 'whole'
        ? client.messages.create({ ...asked, messages: given })
        : client.messages.stream({ ...asked, messages: given }).finalMessage()
    const first = await answer(messages)
    expect(first.stop_reason).toBe('tool_use')
    const [use] = first.content
    if (use?.type !== 'tool_use') throw new Error('no tool was called')
    expect(use).toMatchObject({ name: 'weather', input: { city: 'x', days: 1 } })
    const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'sunny' }
    const second = await answer([
      ...messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [result] },
    ])
    expect(second).toMatchObject({ content: [{ text: 'one two three' }], stop_reason: 'end_turn' })
  })

  test('count tokens', async () => {
    const { input_tokens: count } = await client.messages.countTokens({ model: 'sim-echo', messages })
    expect(count).toBeGreaterThan(3)
  })

  test.for(['sim-cut-2-echo', 'sim-tools-cut-2'])('raise an error for a stream of %s', async (model) => {
    const stream = client.messages.stream({ model, ...hello, tools: [weather] })
    const thrown = await stream.finalMessage().catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(APIError)
    expect(thrown).toMatchObject({ type: 'api_error' })
    expect(stream.receivedMessages).toEqual([])
  })

  test.for([
    ['sim-status-400', BadRequestError, 'invalid_request_error'],
    ['sim-status-404', NotFoundError, 'not_found_error'],
    ['sim-ratelimit-7', RateLimitError, 'rate_limit_error'],
    ['sim-status-503', ServiceUnavailableError, 'overloaded_error'],
    ['sim-status-500', InternalServerError, 'api_error'],
  ] as const)('raise the class for %s', async ([model, raised, type]) => {
    // One after the other: what rejects while another is waited for has nobody yet to catch it.
    for (const ask of [
      () => client.messages.create({ model, ...hello }),
      () => client.messages.stream({ model, ...hello }).finalMessage(),
    ]) {
      const thrown = await ask().catch((error: unknown) => error)
      expect(thrown).toBeInstanceOf(raised)
      expect(thrown).toMatchObject({ type, requestID: expect.stringMatching(/^req_[0-9a-f]{32}$/) })
      expect((thrown as APIError).apiMessage).toEqual(expect.any(String))
    }
  })

  test('raise a bad request for what cannot be read', async () => {
    const asked = client.messages.create({ model: 'sim-echo', max_tokens: 5, messages: [] })
    await expect(asked).rejects.toThrow(BadRequestError)
  })
})

describe('Anthropic’s client', () => {
  test('asks again after 503, as it does', async () => {
    await using stack = await startBeforeTogether('b')
    const statuses: number[] = []
    const client = createClient(stack, {
      maxRetries: 2,
      async fetch(input, init) {
        const response = await fetch(input, init)
        statuses.push(response.status)
        // A wait of a second is the client's own business.
        const headers = new Headers(response.headers)
        headers.set('retry-after-ms', '1')
        return new Response(response.body, { status: response.status, headers })
      },
    })
    const { content } = await client.messages.create({ model: 'sim-flaky-2-echo', ...hello })
    expect(content).toMatchObject([{ text: 'one two three' }])
    expect(statuses).toEqual([503, 503, 200])
  })

  test('is let in with its key, and told when it has another', async () => {
    await using stack = await startAlone("auth: { keys: ['sk-gateway-0123456789'] }")
    const asked = { model: 'sim-echo', ...hello }
    const key = 'sk-gateway-0123456789'
    for (const options of [{ apiKey: key }, { apiKey: null, authToken: key }]) {
      const { content } = await createClient(stack, options).messages.create(asked)
      expect(content).toMatchObject([{ text: 'one two three' }])
    }
    const refused = createClient(stack, { apiKey: 'sk-wrong' }).messages.create(asked)
    await expect(refused).rejects.toThrow(AuthenticationError)
  })

  test('is answered by an upstream that takes only prompts', async () => {
    await using stack = await startStack()
    const asked = { model: 'sim-echo', ...hello, system: [{ type: 'text' as const, text: 'Be brief.' }] }
    const whole = await createClient(stack).messages.create(asked)
    const streamed = await createClient(stack).messages.stream(asked).finalMessage()
    for (const { content } of [whole, streamed]) expect(content).toMatchObject([{ text: 'one two three' }])
    const refused = createClient(stack).messages.create({ ...asked, tools: [weather] })
    await expect(refused).rejects.toThrow(BadRequestError)
  })

  test('that leaves a stream ends the upstream’s work', async () => {
    await using stack = await startBeforeTogether('b')
    const stream = createClient(stack).messages.stream({ model: 'sim-stall-2-echo', ...hello })
    let pieces = 0
    stream.on('text', () => {
      if (++pieces === 2) stream.abort()
    })
    await expect(stream.finalMessage()).rejects.toThrow(APIUserAbortError)
    const line = await stack.gateway.line(({ outcome }) => outcome === 'left')
    expect(line).toMatchObject({ dialect: 'messages', status: 499 })
    while (stack.together.abandoned() === 0) await new Promise(setImmediate)
    expect(stack.together.hits()).toBe(1)
  })

  test('that leaves while it waits does so, too', async () => {
    await using upstream = await startHeldUpstream()
    await using stack = await startBefore(upstream.url)
    const leaving = new AbortController()
    const asked = createClient(stack).messages.create({ model: 'm', ...hello }, { signal: leaving.signal })
    const refused = expect(asked).rejects.toThrow(APIUserAbortError)
    await upstream.arrived(1)
    leaving.abort()
    await refused
    await upstream.left(1)
    const line = await stack.gateway.line(({ outcome }) => outcome === 'left')
    expect(line['status']).toBe(499)
  })

  test('raises a timeout for an upstream that says nothing', async () => {
    await using upstream = await startHeldUpstream()
    await using stack = await startBefore(upstream.url, { environment: { PANDOTATE_TIMEOUT: '0.3' } })
    const thrown = await createClient(stack)
      .messages.create({ model: 'm', ...hello })
      .catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(GatewayTimeoutError)
    expect(thrown).toMatchObject({ type: 'timeout_error' })
  })

  test('parses an answer that was asked for by a schema', async () => {
    await using stack = await startBeforeTogether('b')
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: false }
    const message = await createClient(stack).messages.parse({
      model: 'sim-echo',
      max_tokens: 100,
      messages: [{ role: 'user', content: '{"a":1}' }],
      output_config: { format: { type: 'json_schema', schema } },
    })
    expect(message.parsed_output).toEqual({ a: 1 })
    expect(JSON.parse(stack.together.requests.at(-1)?.body ?? '')).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema } },
    })
  })
})
