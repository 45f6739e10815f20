import { describe, expect, test } from 'vitest'
import { togetherModels } from '../../../src/simulator/together/models.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { ask, chat, created, eventsIn, get, id, messages, start } from './harness.ts'

describe('a stream', () => {
  test('in dialect A tells the role in each chunk, and usage and seed in the last', async () => {
    await using server = await start()
    const outcome = await ask(server, chat, { model: 'old/sim-echo', messages, stream: true })
    const event = (text: string, reason: string | null, seed: string, usage: string) =>
      `{"id":"${id}","object":"chat.completion.chunk","created":${created},"choices":[{"index":0,"text":"${text}","logprobs":null,"finish_reason":${JSON.stringify(reason)},"seed":${seed},"delta":{"token_id":1,"role":"assistant","content":"${text}"}}],"model":"old/sim-echo","usage":${usage}}`
    const usage = '{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4,"cached_tokens":0}'
    expect(outcome.headers['content-type']).toBe('text/event-stream')
    expect(eventsIn(outcome)).toEqual([
      event('one', null, 'null', 'null'),
      event(' two', null, 'null', 'null'),
      event('', 'eos', '12192233397672327001', usage),
      '[DONE]',
    ])
  })

  test('in dialect B begins without a word, and ends with a chunk of usage alone', async () => {
    await using server = await start()
    const outcome = await ask(server, chat, { model: 'sim-echo', messages, stream: true })
    const event = (text: string, reason: string | null, rest: string) =>
      `{"id":"${id}","object":"chat.completion.chunk","created":${created},"choices":[{"index":0,"text":"${text}","logprobs":null,"finish_reason":${JSON.stringify(reason)},"delta":{"token_id":null,"role":"assistant","content":"${text}","reasoning":null}}],"model":"sim-echo"${rest}}`
    expect(eventsIn(outcome)).toEqual([
      event('', null, ''),
      event('one', null, ',"usage":null'),
      event(' two', null, ',"usage":null'),
      event('', 'stop', ',"usage":null'),
      `{"id":"${id}","object":"chat.completion.chunk","created":${created},"choices":[],"model":"sim-echo","usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4,"reasoning_tokens":0}}`,
      '[DONE]',
    ])
  })

  test('that is too long ends, in dialect A, with a word in its last chunk', async () => {
    await using server = await start()
    const body = { model: 'old/sim-length', messages, stream: true, max_tokens: 2 }
    const events = eventsIn(await ask(server, chat, body)).slice(0, -1)
    expect(events.map((event) => JSON.parse(event).choices[0])).toMatchObject([
      { text: 'river', finish_reason: null, delta: { content: 'river' } },
      { text: ' stone', finish_reason: 'length', delta: { content: ' stone' } },
    ])
  })

  test('of a completion has its own name, and its usage in the last chunk', async () => {
    await using server = await start()
    const body = { model: 'sim-echo', prompt: 'one two', stream: true }
    const events = eventsIn(await ask(server, '/v1/completions', body)).slice(0, -1)
    expect(events.map((event) => JSON.parse(event))).toMatchObject([
      { object: 'completion.chunk', choices: [{ text: 'one', delta: { content: 'one' } }], usage: null },
      { object: 'completion.chunk', choices: [{ text: ' two' }], usage: null },
      { choices: [{ text: '', finish_reason: 'stop' }], usage: { total_tokens: 4 } },
    ])
  })

  test.for(['old/sim-tools-echo', 'sim-tools-echo'])(
    'of %s names the tool once, and null after',
    async (model) => {
      await using server = await start()
      const tools = [{ type: 'function', function: { name: 'add', parameters: { properties: { a: {} } } } }]
      const events = eventsIn(await ask(server, chat, { model, messages, tools, stream: true }))
      const calls = events
        .slice(0, -1)
        .flatMap((event) => JSON.parse(event).choices[0]?.delta.tool_calls ?? [])
      expect(calls[0]).toMatchObject({
        id: 'call_simulated',
        index: 0,
        function: { name: 'add', arguments: '' },
      })
      expect(calls[1]).toMatchObject({ id: null, index: 0, type: 'function', function: { name: null } })
      expect(calls.map((call) => call.function.arguments).join('')).toBe('{"a":"x"}')
    },
  )

  test('of several choices has each of them, and counts each', async () => {
    await using server = await start()
    const events = eventsIn(await ask(server, chat, { model: 'sim-echo', messages, stream: true, n: 2 }))
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event))
    const ends = chunks
      .flatMap(({ choices }) => choices)
      .filter(({ finish_reason: reason }) => reason !== null)
    expect(ends.map(({ index }) => index)).toEqual([0, 1])
    expect(chunks.at(-1).usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 })
    expect(server.bill()).toMatchObject([{ promptTokens: 2, completionTokens: 4 }])
  })

  test.for([
    ['chunk', '{"error":{"message":"Inference stopped."'],
    ['choice', '"choices":[{"index":0,"delta":{},"error":{"message":"Inference stopped."'],
  ] as const)('may break off with an error in a %s', async ([breaks, told]) => {
    await using server = await start({ breaks })
    const outcome = await ask(server, chat, { model: 'sim-cut-1', messages, stream: true })
    expect(eventsIn(outcome).at(-1)).toContain(told)
    expect(outcome.broken).toBeUndefined()
  })
})

describe('a whole reply', () => {
  test.for([
    ['old/sim-echo', '"seed": 12192233397672327001', { cached_tokens: 0 }],
    ['sim-echo', '"seed": 2875093277637887001', { reasoning_tokens: 0 }],
  ] as const)('of %s has keys beyond the schema', async ([model, seed, usage]) => {
    await using server = await start()
    const { body, headers } = await ask(server, chat, { model, messages })
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'retry-after': '2' })
    expect(body).toContain(seed)
    expect(JSON.parse(body)).toMatchObject({
      ...{ id, object: 'chat.completion', created, model, prompt: [] },
      choices: [
        { index: 0, message: { role: 'assistant', content: 'one two', tool_calls: [] }, logprobs: null },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4, ...usage },
    })
  })

  test('of a completion may repeat its prompt', async () => {
    await using server = await start()
    const { body } = await ask(server, '/v1/completions', {
      model: 'sim-echo',
      prompt: 'one',
      echo: true,
      n: 2,
    })
    expect(JSON.parse(body)).toMatchObject({
      object: 'text.completion',
      choices: [
        { index: 0, text: 'oneone' },
        { index: 1, text: 'oneone' },
      ],
      usage: { completion_tokens: 2 },
    })
  })

  test.for([['sim-cut-1-echo'], ['sim-cut-0-echo']])('of %s breaks off half way', async ([model]) => {
    await using server = await start()
    const { status, body, broken } = await ask(server, chat, { model, messages })
    expect({ status, broken }).toEqual({ status: 200, broken: 'ECONNRESET' })
    expect(body).toMatch(/^\{(?:.|\n)*[^}\n]$/)
    expect(() => JSON.parse(body)).toThrow(SyntaxError)
  })
})

test('the list is a bare array, with what cannot be called', async () => {
  await using server = await simulateTogether({ host: '127.0.0.1', port: 0 })
  const listed = JSON.parse((await get(server, '/v1/models')).body)
  expect(listed).toHaveLength(togetherModels.length)
  expect(listed).toContainEqual(
    expect.objectContaining({
      id: 'zai-org/GLM-5.2',
      context_length: 512_000,
      running: false,
      pricing: {
        hourly: 0,
        input: 1.4,
        output: 4.4,
        base: 0,
        finetune: 0,
        cached_input: 0.25999999999999995,
      },
    }),
  )
  expect(listed).toContainEqual(expect.objectContaining({ id: 'mistralai/Mixtral-8x7B-Instruct-v0.1' }))
})

test('the bill goes by the list', async () => {
  await using server = await start()
  const model = 'zai-org/GLM-5.2'
  const body = { model, messages, max_tokens: 5 }
  await ask(server, chat, body, { 'x-request-id': 'req_1-0' })
  await ask(server, '/v1/embeddings', {
    model: 'intfloat/multilingual-e5-large-instruct',
    input: ['one two', 'three'],
  })
  expect(JSON.parse((await get(server, '/bill')).body)).toMatchObject({
    totalNanoUsd: 2 * 1400 + 5 * 4400 + 3 * 20,
    lines: [
      { attempt: 'req_1-0', model, promptTokens: 2, completionTokens: 5, nanoUsd: 24_800 },
      { promptTokens: 3, completionTokens: 0, nanoUsd: 60 },
    ],
  })
})

describe('vectors', () => {
  test('are of length 1, the same for the same text, and told without usage', async () => {
    await using server = await start()
    const model = 'intfloat/multilingual-e5-large-instruct'
    const outcome = await ask(server, '/v1/embeddings', { model, input: ['one', 'two', 'one'] })
    const { data, ...rest } = JSON.parse(outcome.body)
    expect(rest).toEqual({ object: 'list', model, request_id: id })
    const [one, two, again] = data.map(({ embedding }: { embedding: number[] }) => embedding)
    expect(again).toEqual(one)
    expect(two).not.toEqual(one)
    expect(Math.hypot(...one)).toBeCloseTo(1)
    expect(data.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2])
  })

  test('of documents are in the order of what they share with the query', async () => {
    await using server = await start()
    const { body } = await ask(server, '/v1/rerank', {
      ...{ model: 'Salesforce/Llama-Rank-V1', query: 'red fish', top_n: 2, return_documents: true },
      ...{ documents: ['a bird', { title: 'Red fish', text: '' }, 'One fish.'], rank_fields: ['title'] },
    })
    expect(JSON.parse(body)).toMatchObject({
      object: 'rerank',
      results: [
        { index: 1, relevance_score: 1, document: { title: 'Red fish' } },
        { index: 2, relevance_score: 0.5, document: { text: 'One fish.' } },
      ],
    })
  })
})
