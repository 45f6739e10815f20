import { APIError, type OpenAI } from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type ResponsesStage, stages } from './harness.ts'

type Event = OpenAI.Responses.ResponseStreamEvent

const weather: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'weather',
  strict: null,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}
const patch: OpenAI.Responses.CustomTool = { type: 'custom', name: 'patch', description: 'Changes a file.' }

const started = ['response.created', 'response.in_progress']
const spoken = (delta: string, done: string, count: number) => [
  'response.output_item.added',
  'response.content_part.added',
  ...Array<string>(count).fill(delta),
  done,
  'response.content_part.done',
  'response.output_item.done',
]
const text = (count: number) => spoken('response.output_text.delta', 'response.output_text.done', count)

describe.for(stages)('over $name', ({ start }) => {
  let stage: ResponsesStage
  beforeAll(async () => {
    stage = await start()
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  const create = (body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
    stage.client().responses.create({ model: 'sim-echo', input: 'one two three', ...body })
  const collect = async (body: Partial<OpenAI.Responses.ResponseCreateParamsStreaming>) => {
    const params = { model: 'sim-echo', input: 'one two three', ...body, stream: true } as const
    const events: Event[] = []
    for await (const event of await stage.client().responses.create(params)) events.push(event)
    return events
  }

  test('answers', async () => {
    const response = await create({ instructions: 'Be brief.', metadata: { topic: 'numbers' } })
    expect(response).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
      object: 'response',
      status: 'completed',
      output_text: 'one two three',
      instructions: 'Be brief.',
      metadata: { topic: 'numbers' },
      error: null,
      incomplete_details: null,
      usage: { input_tokens: 5, output_tokens: 3, total_tokens: 8 },
    })
    expect(response.output).toEqual([
      {
        id: expect.stringMatching(/^msg_/),
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'one two three', annotations: [], logprobs: [] }],
      },
    ])
  })

  test('streams its events in order, each with its number', async () => {
    const events = await collect({})
    expect(events.map(({ type }) => type)).toEqual([...started, ...text(3), 'response.completed'])
    expect(events.map((event) => 'sequence_number' in event && event.sequence_number)).toEqual([
      ...events.keys(),
    ])
    expect(events.at(-1)).toMatchObject({
      response: { status: 'completed', usage: { input_tokens: 3, output_tokens: 3, total_tokens: 6 } },
    })
  })

  test('streams to the helper what it answers whole', async () => {
    const stream = stage.client().responses.stream({ model: 'sim-reasoning-echo', input: 'one two three' })
    const deltas: string[] = []
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta))
    const streamed = await stream.finalResponse()
    const whole = await create({ model: 'sim-reasoning-echo' })
    const shape = ({ output }: OpenAI.Responses.Response) => output.map(({ id: _id, ...item }) => item)
    expect(deltas.join('')).toBe('one two three')
    expect(streamed.output_text).toBe('one two three')
    const unparsed = JSON.parse(JSON.stringify(streamed), (key, value) =>
      key === 'parsed' ? undefined : value,
    )
    expect(shape(unparsed)).toEqual(shape(whole))
  })

  test.for([
    ['reasoning', undefined, 'content', 'reasoning_text'],
    ['a summary where one was requested', 'auto', 'summary', 'summary_text'],
  ] as const)('tells its thoughts as %s', async ([, summary, list, type]) => {
    const params = { model: 'sim-reasoning-echo', ...(summary ? { reasoning: { summary } } : {}) }
    const [thought, said] = (await create(params)).output
    expect(thought).toMatchObject({ type: 'reasoning', [list]: [{ type, text: expect.stringMatching(/./) }] })
    expect(said).toMatchObject({ type: 'message' })
    const stream = stage.client().responses.stream({ input: 'one', ...params })
    expect((await stream.finalResponse()).output[0]).toMatchObject({ [list]: [{ type }] })
  })

  test('goes round with a tool, on what it remembers', async () => {
    const first = await create({ model: 'sim-tools-echo', tools: [weather] })
    const [call] = first.output
    expect(call).toMatchObject({ type: 'function_call', name: 'weather', arguments: '{"city":"x"}' })
    const { call_id } = call as OpenAI.Responses.ResponseFunctionToolCall
    const second = await create({
      model: 'sim-tools-echo',
      tools: [weather],
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id, output: 'rain' }],
    })
    expect(second.output_text).toBe('one two three')
    expect(second.previous_response_id).toBe(first.id)
    // What was asked, and what the tool gave: a call has no words.
    expect(second.usage?.input_tokens).toBe(4)
  })

  test('streams a call of a function', async () => {
    const events = await collect({ model: 'sim-tools', tools: [weather] })
    const types = events.map(({ type }) => type)
    expect([...new Set(types)]).toEqual([
      ...started,
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ])
    const stream = stage.client().responses.stream({ model: 'sim-tools', input: 'x', tools: [weather] })
    const { output } = await stream.finalResponse()
    expect(output).toMatchObject([{ type: 'function_call', name: 'weather', arguments: '{"city":"x"}' }])
  })

  test('calls a custom tool with a text', async () => {
    const { output } = await create({ model: 'sim-tools', tools: [patch] })
    expect(output).toMatchObject([
      { type: 'custom_tool_call', name: 'patch', input: 'x', status: 'completed' },
    ])
    const stream = stage.client().responses.stream({ model: 'sim-tools', input: 'x', tools: [patch] })
    expect((await stream.finalResponse()).output).toMatchObject([{ type: 'custom_tool_call', input: 'x' }])
  })

  test('passes tools in a namespace on, and gives the call its namespace back', async () => {
    const tools: OpenAI.Responses.Tool[] = [
      { type: 'namespace', name: 'crm', description: 'Customers.', tools: [weather] },
    ]
    const { output } = await create({ model: 'sim-tools', tools })
    expect(output).toMatchObject([{ type: 'function_call', name: 'weather', namespace: 'crm' }])
  })

  test('parses structured output', async () => {
    const format = zodTextFormat(z.object({ city: z.string() }), 'place')
    const input = '{"city":"Rome"}'
    const body = { model: 'sim-echo', input, text: { format } }
    expect((await stage.client().responses.parse(body)).output_parsed).toEqual({ city: 'Rome' })
    const streamed = await stage.client().responses.stream(body).finalResponse()
    expect(streamed.output_parsed).toEqual({ city: 'Rome' })
  })

  test('says that an answer was cut short', async () => {
    const whole = await create({ model: 'sim-length', max_output_tokens: 4 })
    const ending = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
    expect(whole).toMatchObject({ ...ending, output: [{ status: 'incomplete' }] })
    const events = await collect({ model: 'sim-length', max_output_tokens: 4 })
    expect(events.map(({ type }) => type)).toEqual([...started, ...text(4), 'response.incomplete'])
    expect(events.at(-1)).toMatchObject({ response: { ...ending, usage: { output_tokens: 4 } } })
  })

  test('never ends a broken stream as if it were whole', async () => {
    const events: Event[] = []
    const read = async () => {
      const params = { model: 'sim-cut-2', input: 'x', stream: true } as const
      for await (const event of await stage.client().responses.create(params)) events.push(event)
    }
    await expect(read()).rejects.toThrow(APIError)
    expect(events.map(({ type }) => type)).not.toContain('response.completed')
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error' }, usage: null },
    })
    const helped = stage.client().responses.stream({ model: 'sim-cut-2', input: 'x' })
    await expect(helped.finalResponse()).rejects.toThrow(APIError)
  })

  test('stops when the caller leaves', async () => {
    await using own = await start()
    const params = { model: 'sim-drip-50-long-500', input: 'x', stream: true } as const
    const stream = await own.client().responses.create(params)
    for await (const event of stream) if (event.type === 'response.output_text.delta') break
    expect((await own.gateway.recorded()).outcome).toBe('left')
  })

  test.for<[string, Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>, object]>([
    ['an unknown model', { model: 'sim-none' }, { status: 404, code: 'model_not_found' }],
    [
      'no input',
      { input: undefined as never },
      { status: 400, param: 'input', code: 'missing_required_parameter' },
    ],
    [
      'work in the background',
      { background: true },
      { status: 400, param: 'background', code: 'unsupported_parameter' },
    ],
    ['a conversation', { conversation: 'conv_1' }, { status: 400, param: 'conversation' }],
    [
      'an answer to nothing',
      { previous_response_id: 'resp_none' },
      {
        status: 400,
        param: 'previous_response_id',
        code: 'previous_response_not_found',
        message: "400 Previous response with id 'resp_none' not found.",
      },
    ],
    [
      'a reference to nothing',
      { input: [{ type: 'item_reference', id: 'msg_none' }] },
      { status: 404, param: 'input', message: "404 Item with id 'msg_none' not found." },
    ],
    ['an upstream in trouble', { model: 'sim-status-503' }, { status: 503 }],
    ['a limit on the rate', { model: 'sim-ratelimit-0' }, { status: 429, code: 'rate_limit_exceeded' }],
  ])('refuses %s', async ([, body, refusal]) => {
    const refused = await create(body).catch((thrown: unknown) => thrown)
    expect(refused).toBeInstanceOf(APIError)
    expect(refused).toMatchObject(refusal)
  })

  test('names what it could not pass on', async () => {
    const tools: OpenAI.Responses.Tool[] = [{ type: 'web_search' }, weather]
    const { response } = await stage
      .client()
      .responses.create({ model: 'sim-echo', input: 'x', tools, truncation: 'auto' })
      .withResponse()
    const names = response.headers.get('x-pandotate-dropped-params')?.split(', ')
    expect(names).toEqual(expect.arrayContaining(['tools.web_search', 'truncation']))
  })
})
