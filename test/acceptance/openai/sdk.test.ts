import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, type Stack, startStack } from '../stack.ts'

let stack: Stack
let client: OpenAI
beforeAll(async () => {
  stack = await startStack()
  client = createClient(stack)
})
afterAll(() => stack[Symbol.asyncDispose]())

const model = 'sim-echo'

describe('the official client’s completions', () => {
  test('answer one prompt', async () => {
    const completion = await client.completions.create({ model, prompt: 'two words' })
    expect(completion).toMatchObject({
      object: 'text_completion',
      model,
      choices: [{ index: 0, text: 'two words', finish_reason: 'stop' }],
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
    })
  })

  test.for<[string, OpenAI.CompletionCreateParams['prompt'], string[]]>([
    ['a list of prompts', ['first', 'second', 'third'], ['first', 'second', 'third']],
    ['a list of one prompt', ['only'], ['only']],
    ['an empty prompt beside another', ['', 'other'], ['', 'other']],
    ['token ids', [9906, 11, 1917], ['Hello, world']],
    ['lists of token ids', [[9906, 11], [1917], [9906]], ['Hello,', ' world', 'Hello']],
  ])('answer %s', async ([, prompt, texts]) => {
    const completion = await client.completions.create({ model, prompt })
    expect(completion.choices.map(({ text }) => text)).toEqual(texts)
  })

  test('give n choices, the prompt counted once', async () => {
    const completion = await client.completions.create({ model, prompt: 'thrice', n: 3 })
    expect(completion.choices.map(({ text }) => text)).toEqual(['thrice', 'thrice', 'thrice'])
    expect(completion.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 })
  })

  test('stand in the order of prompts, then of choices, though the first take longest', async () => {
    const prompt = ['the longest of the three prompts', 'a shorter one', 'short']
    const completion = await client.completions.create({ model: 'sim-echo-drip-20', prompt, n: 2 })
    const expected = prompt.flatMap((text) => [text, text])
    expect(completion.choices.map(({ text }) => text)).toEqual(expected)
    expect(completion.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5])
    expect(completion.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 20 })
  })

  test('repeat the prompt when asked to echo it', async () => {
    const completion = await client.completions.create({
      model: 'sim-long-3',
      prompt: ['Once ', 'Twice '],
      echo: true,
    })
    const texts = completion.choices.map(({ text }) => text)
    expect(texts).toEqual(['Once river stone lantern', 'Twice river stone lantern'])
  })

  test.for([
    ['a string', 'three'],
    ['a list', ['absent', 'three', 'four']],
  ] as const)('end before a stop string, given as %s', async ([, stop]) => {
    const prompt = 'one two three four'
    const asked = typeof stop === 'string' ? stop : [...stop]
    const completion = await client.completions.create({ model, prompt, stop: asked })
    expect(completion.choices[0]).toMatchObject({ text: 'one two ', finish_reason: 'stop' })
  })

  test('say so when max_tokens ends them', async () => {
    const completion = await client.completions.create({ model: 'sim-length', prompt: 'go', max_tokens: 5 })
    expect(completion.choices[0]?.finish_reason).toBe('length')
    expect(completion.usage?.completion_tokens).toBe(5)
  })

  test('carry what the upstream says beyond the schema', async () => {
    const completion = await client.completions.create({ model: 'sim-extra-echo', prompt: 'more' })
    expect(completion).toMatchObject({ region: 'eu-sim-1', queue_ms: 12 })
  })

  test('are counted here where the upstream counts nothing, and nothing strange is passed on', async () => {
    for (const odd of ['sim-nousage-echo', 'sim-usage-weird-echo']) {
      const { usage } = await client.completions.create({ model: odd, prompt: 'some words to count' })
      expect(usage?.prompt_tokens).toBeLessThan(100)
      expect(usage?.completion_tokens).toBeGreaterThan(0)
    }
  })
})

describe('the official client’s chats', () => {
  test('answer the last user message', async () => {
    const chat = await client.chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'First question' },
        { role: 'assistant', content: 'First answer' },
        { role: 'user', content: 'Second question' },
      ],
    })
    expect(chat.choices).toMatchObject([
      { index: 0, message: { role: 'assistant', content: 'Second question' }, finish_reason: 'stop' },
    ])
    expect(chat.usage?.completion_tokens).toBe(2)
  })

  test('take content in parts, a developer’s word, and fields that change nothing', async () => {
    const asked = client.chat.completions.create({
      model,
      messages: [
        { role: 'developer', content: 'Be exact.' },
        { role: 'user', content: [{ type: 'text', text: 'in parts' }], name: 'someone' },
      ],
      store: true,
      metadata: { purpose: 'test' },
      max_completion_tokens: 100,
      temperature: 0,
      user: 'someone',
    })
    const { data, response } = await asked.withResponse()
    expect(data.choices[0]?.message.content).toBe('in parts')
    expect(response.headers.get('x-pandotate-dropped-params')?.split(', ')).toEqual([
      'store',
      'metadata',
      'messages[].name',
    ])
  })

  test('give n choices', async () => {
    const messages = [{ role: 'user' as const, content: 'again' }]
    const chat = await client.chat.completions.create({ model, messages, n: 3 })
    expect(chat.choices.map(({ message }) => message.content)).toEqual(['again', 'again', 'again'])
  })

  test.for([
    'mistral-7b',
    'llama-2-13b-chat',
    'meta-llama/Llama-3.1-8B-Instruct',
    'Qwen/Qwen2.5-7B-Instruct',
    'no-such-family',
  ])('are flattened for %s so that it sees the question', async (name) => {
    const messages = [{ role: 'user' as const, content: 'Which colour has the sky?' }]
    const chat = await client.chat.completions.create({ model: name, messages })
    expect(chat.choices[0]?.message.content).toContain('your prompt began with: "Which colour has the sky?"')
  })
})

describe('whatever the client asks', () => {
  test.for(['/v1', '/inference', '/inference/v1', '/v1/'])('is served below %s', async (prefix) => {
    const near = createClient(stack, { baseURL: stack.gateway.url + prefix })
    const completion = await near.completions.create({ model, prompt: 'here' })
    expect(completion.choices[0]?.text).toBe('here')
    const messages = [{ role: 'user' as const, content: 'and here' }]
    const chat = await near.chat.completions.create({ model, messages })
    expect(chat.choices[0]?.message.content).toBe('and here')
    expect((await near.models.list()).data).toBeInstanceOf(Array)
  })

  test('is answered to the one who asked, under a request id that no other has', async () => {
    const prompts = Array.from({ length: 200 }, (_, at) => `prompt ${at}`)
    const asked = prompts.map((prompt) => client.completions.create({ model, prompt }))
    const completions = await Promise.all(asked)
    expect(completions.map(({ choices }) => choices[0]?.text)).toEqual(prompts)
    const ids = completions.map(({ _request_id: id }) => id)
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/)
    expect(new Set(ids).size).toBe(200)
  })

  test('is answered with how it was made, in headers', async () => {
    const { response } = await client.completions.create({ model, prompt: 'x' }).withResponse()
    expect(response.headers.get('x-pandotate-provider')).toBe('pandotate')
    expect(response.headers.get('x-pandotate-deployment')).toBe('*@pandotate')
    expect(response.headers.get('x-pandotate-attempts')).toBe('1')
    expect(response.headers.get('x-pandotate-overhead-ms')).toMatch(/^\d+\.\d{2}$/)
  })

  test('accepts an unknown query parameter', async () => {
    const azure = createClient(stack, { defaultQuery: { 'api-version': '2026-01-01' } })
    const completion = await azure.completions.create({ model, prompt: 'with a query' })
    expect(completion.choices[0]?.text).toBe('with a query')
  })
})

describe('the official client’s models', () => {
  test.for(['mistral-7b', 'meta-llama/Llama-3 8B', 'a/b/c:d@e', 'percent%41'])('has %s', async (id) => {
    expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model', owned_by: 'pandotate' })
  })

  test('are a list', async () => {
    expect((await client.models.list()).object).toBe('list')
  })
})
