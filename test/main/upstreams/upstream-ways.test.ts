import { describe, expect, test } from 'vitest'
import { chatReply, chatStream, choicesOf, openSpoken, refused, type Speaking } from '../answers/spoken.ts'

const user = { role: 'user', content: 'Hi' }
const says: Speaking = (body) =>
  body['stream'] === true ? chatStream({ content: 'one' }) : chatReply({ content: 'one' })
const vllm = { settings: { preset: 'vllm' }, speak: says }

describe('Claude Code’s line for Anthropic’s accounts', () => {
  const line = (hash: string) => `x-anthropic-billing-header: cc_version=2.1; cch=${hash};`
  const block = (text: string) => ({ type: 'text', text })

  test.for<[string, unknown, unknown]>([
    ['a block of its own', [block(line('a1')), block('Be brief.')], 'Be brief.'],
    ['the first of its lines', `${line('a1')}\nBe brief.`, 'Be brief.'],
    ['all there is', line('a1'), undefined],
    ['only spoken of', `What is ${line('a1')}?`, `What is ${line('a1')}?`],
  ])('is taken out where it is %s', async ([, system, expected]) => {
    await using scene = await openSpoken({ vllm })
    const told = await scene.ask('/messages', { max_tokens: 8, system, messages: [user] })
    const [sent] = scene.sent('vllm')
    const messages = expected === undefined ? [user] : [{ role: 'system', content: expected }, user]
    expect(sent?.['messages']).toEqual(messages)
    const isTold = expected !== system
    expect(told.headers.get('x-pandotate-dropped-params')).toBe(
      isTold ? 'system.x-anthropic-billing-header' : null,
    )
    const record = await scene.gateway.recorded()
    expect([...record.dropped].length).toBe(isTold ? 1 : 0)
  })

  test('is taken out of a chat’s instructions in parts, too', async () => {
    await using scene = await openSpoken({ vllm })
    const content = [block(line('a1')), block('Be brief.')]
    await scene.ask('/chat/completions', { messages: [{ role: 'system', content }, user] })
    expect(scene.sent('vllm')[0]?.['messages']).toEqual([
      { role: 'system', content: [block('Be brief.')] },
      user,
    ])
  })

  test('is passed on where the operator says so', async () => {
    await using scene = await openSpoken({ vllm: { ...vllm, traits: { keepsBillingLine: true } } })
    await scene.ask('/messages', { max_tokens: 8, system: line('a1'), messages: [user] })
    expect(scene.sent('vllm')[0]?.['messages']).toEqual([{ role: 'system', content: line('a1') }, user])
  })
})

describe('more tokens than a model can give', () => {
  test.for([
    ['/chat/completions', { max_tokens: 32_000 }, 'max_tokens'],
    ['/chat/completions', { max_completion_tokens: 32_000 }, 'max_completion_tokens'],
    ['/messages', { max_tokens: 32_000 }, 'max_tokens'],
    ['/responses', { max_output_tokens: 32_000, input: 'Hi' }, 'max_completion_tokens'],
  ] as const)('are lowered to what it can: %s %j', async ([path, asked, dropped]) => {
    await using scene = await openSpoken({
      vllm: { ...vllm, traits: { maxOutputTokens: 8192, contextTokens: 16_384 } },
    })
    const told = await scene.ask(path, { messages: [user], ...asked })
    expect(told.status).toBe(200)
    expect(scene.sent('vllm')[0]?.['max_tokens']).toBe(8192)
    expect(told.headers.get('x-pandotate-dropped-params')).toBe(dropped)
    const record = await scene.gateway.recorded()
    expect([...record.converted]).toContain(`${dropped} to 8192`)
  })

  test('are still requested if the operator says so', async () => {
    const traits = { maxOutputTokens: 8192, lowersMaxTokens: false }
    await using scene = await openSpoken({ vllm: { ...vllm, traits } })
    await scene.ask('/chat/completions', { messages: [user], max_tokens: 32_000 })
    expect(scene.sent('vllm')[0]?.['max_tokens']).toBe(32_000)
  })
})

describe('vLLM', () => {
  test('continues with the beginning of an answer that a caller of Anthropic’s format gives', async () => {
    await using scene = await openSpoken({ vllm })
    const assistant = { role: 'assistant', content: 'Once' }
    await scene.ask('/messages', { max_tokens: 8, messages: [user, assistant] })
    await scene.ask('/messages', { max_tokens: 8, messages: [user] })
    await scene.ask('/chat/completions', { messages: [user, assistant] })
    const goesOn = scene.sent('vllm').map((body) => body['continue_final_message'])
    expect(goesOn).toEqual([true, undefined, undefined])
  })

  test('is not asked for usage with every chunk, and that is named', async () => {
    await using scene = await openSpoken({ vllm })
    const told = await scene.ask('/chat/completions', {
      ...{ stream: true, messages: [user] },
      stream_options: { include_usage: true, continuous_usage_stats: true },
    })
    expect(scene.sent('vllm')[0]?.['stream_options']).toEqual({ include_usage: true })
    expect(told.headers.get('x-pandotate-dropped-params')).toBe('stream_options.continuous_usage_stats')
  })
})

describe('an empty list of tools is none', () => {
  test.for([{}, { tool_choice: 'auto' }, { tool_choice: 'none' }, { parallel_tool_calls: false }])(
    'beside %j',
    async (beside) => {
      await using scene = await openSpoken({ vllm })
      const told = await scene.ask('/chat/completions', { messages: [user], tools: [], ...beside })
      expect(told.status).toBe(200)
      expect(scene.sent('vllm')).toEqual([{ model: 'm', messages: [user] }])
    },
  )

  test('and a tool of no type is a function', async () => {
    await using scene = await openSpoken({ vllm })
    const described = { function: { name: 'f' } }
    await scene.ask('/chat/completions', { messages: [user], tools: [described] })
    expect(scene.sent('vllm')[0]?.['tools']).toEqual([{ ...described, type: 'function' }])
  })
})

test.for(['openrouter', 'groq'])('thoughts keep their name beside the usual one at %s', async (preset) => {
  const speak: Speaking = () => chatReply({ content: 'one', reasoning: 'hm' })
  await using scene = await openSpoken({ up: { settings: { preset }, speak } })
  const told = await scene.ask('/chat/completions', { messages: [user] })
  expect(choicesOf(told)[0]?.message).toMatchObject({ reasoning: 'hm', reasoning_content: 'hm' })
})

test('fields of a response’s function that go no further are named, and not said to hold', async () => {
  await using scene = await openSpoken({ vllm })
  const tool = { type: 'function', name: 'f', parameters: {}, strict: true }
  const told = await scene.ask('/responses', {
    input: 'Hi',
    tools: [{ ...tool, defer_loading: true, output_schema: {}, colour: 'red' }],
  })
  expect(told.headers.get('x-pandotate-dropped-params')).toBe(
    'tools.defer_loading, tools.output_schema, tools.colour',
  )
  expect(told.body['tools']).toEqual([{ ...tool, description: null }])
})

describe('a server of which nothing is known', () => {
  const unnamed = (speak: Speaking) => openSpoken({ up: { settings: {}, speak } })
  const ask = { messages: [user] }

  test.for([false, true])('gets asked for the choices it did not give, streamed: %s', async (stream) => {
    let asked = 0
    await using scene = await unnamed((body) => {
      const content = `answer ${++asked}`
      return body['stream'] === true ? chatStream({ content }) : chatReply({ content })
    })
    const told = await scene.ask('/chat/completions', { ...ask, n: 3, stream })
    const choices = stream ? told.chunks.flatMap((chunk) => chunk.choices) : choicesOf(told)
    const words = [0, 1, 2].map((index) =>
      choices
        .filter((choice) => choice.index === index)
        .map(({ delta, message }) => (delta ?? message)?.['content'] ?? '')
        .join(''),
    )
    expect(new Set(words)).toEqual(new Set(['answer 1', 'answer 2', 'answer 3']))
    expect(scene.sent('up').map(({ n }) => n)).toEqual([3, undefined, undefined])
    const record = await scene.gateway.recorded()
    expect(record.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 6 })
  })

  test.for([false, true])(
    'that does not return logprobs is said to have given none, streamed: %s',
    async (stream) => {
      await using scene = await unnamed(says)
      const told = await scene.ask('/chat/completions', { ...ask, logprobs: true, stream })
      expect(told.headers.get('x-pandotate-dropped-params')).toBe('logprobs')
    },
  )

  test('is asked by the other name of the bound where it refuses the one, and from then on', async () => {
    await using scene = await openSpoken({
      up: {
        settings: {},
        speak: (body) =>
          'max_tokens' in body
            ? refused("Unsupported parameter: 'max_tokens' is not supported with this model.")
            : chatReply({ content: 'one' }),
      },
    })
    const told = await scene.ask('/chat/completions', { ...ask, max_completion_tokens: 5 })
    expect(told.status).toBe(200)
    await scene.ask('/chat/completions', { ...ask, max_tokens: 6 })
    expect(scene.sent('up')).toEqual([
      { model: 'm', ...ask, max_tokens: 5 },
      { model: 'm', ...ask, max_completion_tokens: 5 },
      { model: 'm', ...ask, max_completion_tokens: 6 },
    ])
  })

  test('is not asked again where it is the bound itself that it refuses', async () => {
    const message = 'max_tokens must be at most 4096.'
    await using scene = await openSpoken({ up: { settings: {}, speak: () => refused(message) } })
    const told = await scene.ask('/chat/completions', { ...ask, max_tokens: 5000 })
    expect(told.status).toBe(400)
    expect(told.body).toMatchObject({ error: { message } })
    expect(scene.sent('up')).toHaveLength(1)
  })
})

describe('what an upstream’s error says beside its message', () => {
  const failing = (more: object, message = 'Failed to call a function.') =>
    openSpoken({ up: { settings: { apiKey: 'sk-own-key-1' }, speak: () => refused(message, { ...more }) } })
  const raw = 'See https://internal.example.com: key sk-own-key-1 was refused.'

  test.for(['/chat/completions', '/messages'] as const)(
    'reaches the caller, and no log: %s',
    async (path) => {
      await using scene = await failing({
        failed_generation: '<function=f>{"a":1}',
        metadata: { raw, provider_name: 'Behind', deep: [1, null] },
      })
      const told = await scene.ask(path, { max_tokens: 8, messages: [user] })
      expect(told.body).toMatchObject({
        error: {
          message: 'Failed to call a function.',
          failed_generation: '<function=f>{"a":1}',
          metadata: {
            raw: expect.stringMatching(/^See \[removed\].*\[removed\] was refused\.$/),
            provider_name: 'Behind',
            deep: [1, null],
          },
        },
      })
      await scene.gateway.recorded()
      expect(scene.gateway.logged()).not.toContain('function=f')
    },
  )

  test('an address of the caller’s own is not hidden from them', async () => {
    const url = 'https://pictures.example.com/cat.png'
    await using scene = await failing({}, `Cannot fetch ${url}: 404.`)
    const content = [{ type: 'image_url', image_url: { url } }]
    const told = await scene.ask('/chat/completions', { messages: [{ role: 'user', content }] })
    expect(told.body).toMatchObject({ error: { message: `Cannot fetch ${url}: 404.` } })
  })
})

test('usage told by other names is reported by OpenAI’s, too, whole as in a stream', async () => {
  const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13, num_cached_tokens: 8 }
  await using scene = await openSpoken({
    up: { settings: {}, speak: () => ({ ...chatReply({ content: 'A' }), usage }) },
  })
  const told = await scene.ask('/chat/completions', { messages: [user] })
  expect(told.body['usage']).toEqual({ ...usage, prompt_tokens_details: { cached_tokens: 8 } })
})
