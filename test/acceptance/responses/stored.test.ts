import { APIError, NotFoundError, type OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { startResponses } from './harness.ts'

const keys = ['sk-one-0123456789abcdef', 'sk-two-0123456789abcdef']
const [one = '', other = ''] = keys

const weather: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'weather',
  strict: null,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}

test('a response is there to be read again, as it was answered', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const made = await client.responses.create({ model: 'sim-echo', input: 'one two' })
  expect(await client.responses.retrieve(made.id)).toEqual(made)
})

test('and so is one that was streamed', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const made = await client.responses.stream({ model: 'sim-echo', input: 'one two' }).finalResponse()
  expect((await client.responses.retrieve(made.id)).output_text).toBe('one two')
})

test('its input is listed, the latest first, a page at a time', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const { id } = await client.responses.create({
    model: 'sim-echo',
    input: [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: [{ type: 'input_text', text: 'three' }], type: 'message' },
    ],
  })
  const texts = async (query: OpenAI.Responses.InputItemListParams) => {
    const found: unknown[] = []
    for await (const item of client.responses.inputItems.list(id, query)) {
      found.push('content' in item && Array.isArray(item.content) ? item.content[0] : undefined)
    }
    return found
  }
  const latest = [
    { type: 'input_text', text: 'three' },
    { type: 'output_text', text: 'two', annotations: [] },
    { type: 'input_text', text: 'one' },
  ]
  expect(await texts({})).toEqual(latest)
  expect(await texts({ limit: 1 })).toEqual(latest)
  expect(await texts({ limit: 2, order: 'asc' })).toEqual(latest.toReversed())
})

test('one that was removed is gone, and nothing can continue from it', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const { id } = await client.responses.create({ model: 'sim-echo', input: 'x' })
  await client.responses.delete(id)
  const gone = `404 Response with id '${id}' not found.`
  await expect(client.responses.retrieve(id)).rejects.toThrow(gone)
  await expect(client.responses.delete(id)).rejects.toThrow(gone)
  await expect(client.responses.inputItems.list(id)).rejects.toThrow(gone)
  const next = { model: 'sim-echo', input: 'y', previous_response_id: id }
  await expect(client.responses.create(next)).rejects.toMatchObject({ code: 'previous_response_not_found' })
})

test('one that was not to be kept is not', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const made = await client.responses.create({ model: 'sim-echo', input: 'x', store: false })
  expect(made).toMatchObject({ store: false })
  await expect(client.responses.retrieve(made.id)).rejects.toThrow(NotFoundError)
})

test('one that broke off is not kept', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const ids: string[] = []
  const stream = client.responses.stream({ model: 'sim-cut-2', input: 'x' })
  stream.on('response.created', ({ response }) => ids.push(response.id))
  await expect(stream.finalResponse()).rejects.toThrow(APIError)
  expect(ids).toHaveLength(1)
  await expect(client.responses.retrieve(ids[0] ?? '')).rejects.toThrow(NotFoundError)
})

describe.for([
  ['keys of the gateway', { keys }],
  ['keys of their own', {}],
] as const)('of two callers with %s', ([, config]) => {
  test('neither has what is the other one’s', async () => {
    await using stage = await startResponses(config)
    const mine = stage.client({ apiKey: one })
    const theirs = stage.client({ apiKey: other })
    const { id, output } = await mine.responses.create({ model: 'sim-echo', input: 'x' })
    await expect(theirs.responses.retrieve(id)).rejects.toThrow(NotFoundError)
    await expect(theirs.responses.delete(id)).rejects.toThrow(NotFoundError)
    const next = { model: 'sim-echo', input: 'y', previous_response_id: id }
    await expect(theirs.responses.create(next)).rejects.toMatchObject({ status: 400 })
    const reference = { type: 'item_reference', id: output[0]?.id ?? '' } as const
    await expect(theirs.responses.create({ model: 'sim-echo', input: [reference] })).rejects.toMatchObject({
      status: 404,
    })
    expect((await mine.responses.retrieve(id)).id).toBe(id)
  })
})

test('anyone who has no key is told so, and not what is kept', async () => {
  await using stage = await startResponses({ keys })
  const { id } = await stage.client({ apiKey: one }).responses.create({ model: 'sim-echo', input: 'x' })
  await expect(stage.client({ apiKey: 'sk-none' }).responses.retrieve(id)).rejects.toMatchObject({
    status: 401,
  })
})

test('items are referred to by their ids', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const first = await client.responses.create({ model: 'sim-tools', input: 'one two', tools: [weather] })
  const [call] = first.output as OpenAI.Responses.ResponseFunctionToolCallItem[]
  const second = await client.responses.create({
    model: 'sim-tools-echo',
    tools: [weather],
    input: [
      { role: 'user', content: 'one two' },
      { type: 'item_reference', id: call?.id ?? '' },
      { type: 'function_call_output', call_id: call?.call_id ?? '', output: 'rain' },
    ],
  })
  expect(second.output_text).toBe('one two')
})

test('a long conversation continues from its last response alone', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  let previous: string | undefined
  const lengths: (number | undefined)[] = []
  for (const input of ['a', 'b', 'c']) {
    const made = await client.responses.create({
      ...{ model: 'sim-echo', input, instructions: 'Be brief.' },
      ...(previous === undefined ? {} : { previous_response_id: previous }),
    })
    previous = made.id
    lengths.push(made.usage?.input_tokens)
  }
  // Instructions belong to one response, and are sent again with each.
  expect(lengths).toEqual([3, 5, 7])
})

test.for(['/v1', '/inference', '/inference/v1'])('all of it is served below %s', async (prefix) => {
  await using stage = await startResponses()
  const client = stage.client({ baseURL: stage.gateway.url + prefix })
  const { id } = await client.responses.create({ model: 'sim-echo', input: 'x' })
  expect((await client.responses.retrieve(id)).id).toBe(id)
  expect((await client.responses.inputItems.list(id)).data).toHaveLength(1)
  await client.responses.delete(id)
})

test.for([
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['limit=many', 'limit'],
])('a page of %s is refused', async ([query, param]) => {
  await using stage = await startResponses()
  const { id } = await stage.client().responses.create({ model: 'sim-echo', input: 'x' })
  const answer = await fetch(`${stage.gateway.url}/v1/responses/${id}/input_items?${query}`, {
    headers: { authorization: 'Bearer unused' },
  })
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }])
})

test('a replay of its events is refused', async () => {
  await using stage = await startResponses()
  const client = stage.client()
  const { id } = await client.responses.create({ model: 'sim-echo', input: 'x' })
  const replay = client.responses.retrieve(id, { stream: true })
  await expect(replay).rejects.toMatchObject({ status: 400, param: 'stream' })
})
