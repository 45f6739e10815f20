import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { incoming, refusalOf } from '../requests.ts'
import { createDialect } from './said.ts'

const weather = { type: 'function', name: 'weather', parameters: { type: 'object' } }
const chatWeather = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object' } },
}
const schema = { type: 'object', properties: {} }

function parse(body: JsonObject, strict = false) {
  return createDialect().parse(incoming({ model: 'm', input: 'Hello', ...body }, strict))
}

describe('a request becomes that of a chat', () => {
  test('with its model, its words, and whether it streams', () => {
    const call = parse({ stream: true })
    expect(call).toMatchObject({
      kind: 'chat',
      dialect: 'responses',
      model: 'm',
      stream: true,
    })
    expect(call.body).toEqual({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
  })

  test.for<[string, JsonObject, JsonObject]>([
    ['how long it may be', { max_output_tokens: 50 }, { max_completion_tokens: 50 }],
    ['how it is drawn', { temperature: 0, top_p: 0.5 }, { temperature: 0, top_p: 0.5 }],
    ['how much to think', { reasoning: { effort: 'low', summary: 'auto' } }, { reasoning_effort: 'low' }],
    ['how much to say', { text: { verbosity: 'low' } }, { verbosity: 'low' }],
    ['no format', { text: {} }, {}],
    ['plain text', { text: { format: { type: 'text' } } }, {}],
    ['JSON', { text: { format: { type: 'json_object' } } }, { response_format: { type: 'json_object' } }],
    [
      'a schema',
      { text: { format: { type: 'json_schema', name: 'place', schema, strict: true, description: null } } },
      { response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } } },
    ],
    [
      'tools',
      { tools: [weather], tool_choice: 'required', parallel_tool_calls: false },
      { tools: [chatWeather], tool_choice: 'required', parallel_tool_calls: false },
    ],
    [
      'no tools, and nothing of how to call them',
      { tools: [], tool_choice: 'auto', parallel_tool_calls: true },
      {},
    ],
    [
      'tools that came with the conversation',
      {
        input: [
          { type: 'additional_tools', role: 'developer', tools: [weather] },
          { role: 'user', content: 'Hello' },
        ],
      },
      { tools: [chatWeather] },
    ],
    ['log probabilities', { include: ['message.output_text.logprobs'] }, { logprobs: true }],
    ['the likeliest tokens', { top_logprobs: 3 }, { logprobs: true, top_logprobs: 3 }],
    ['none of them', { top_logprobs: 0 }, {}],
    [
      'who asks',
      { user: 'u', safety_identifier: 's', prompt_cache_key: 'k', service_tier: 'flex' },
      { user: 'u', safety_identifier: 's', prompt_cache_key: 'k', service_tier: 'flex' },
    ],
    ['fields of upstreams that know more', { top_k: 5, seed: 7 }, { top_k: 5, seed: 7 }],
    [
      'what is seen to here',
      { store: true, metadata: { a: 'b' }, background: false, stream_options: {} },
      {},
    ],
    [
      'null, which is nothing',
      { max_output_tokens: null, text: null, reasoning: null, tools: null, include: null },
      {},
    ],
  ])('%s', ([, asked, expected]) => {
    const { body, dropped } = parse(asked)
    expect(body).toEqual({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...expected })
    expect(dropped).toEqual([])
  })

  test.for<[readonly string[], JsonObject]>([
    [['truncation'], { truncation: 'auto' }],
    [['client_metadata'], { client_metadata: { originator: 'x' } }],
    [['max_tool_calls', 'moderation'], { max_tool_calls: 3, moderation: { model: 'x' } }],
    [['include.reasoning.encrypted_content'], { include: ['reasoning.encrypted_content'] }],
    [['reasoning.mode'], { reasoning: { mode: 'pro' } }],
    [
      ['tools.web_search', 'tools.mcp'],
      { tools: [{ type: 'web_search' }, { type: 'mcp', server_label: 'x' }] },
    ],
  ])('%j has no place there', ([names, asked]) => {
    const { body, dropped } = parse(asked)
    expect(dropped).toEqual(names)
    expect(body).toEqual({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] })
  })

  test('and names no more than fit into a header', () => {
    const tools = Array.from({ length: 500 }, (_, index) => ({ type: `tool-${index}` }))
    expect(parse({ tools }).dropped).toHaveLength(32)
  })

  test('and tells that a custom tool was made a function', () => {
    expect(parse({ tools: [{ type: 'custom', name: 'patch' }] }).converted).toEqual([
      'custom tools to functions',
    ])
    expect(parse({ tools: [weather] }).converted).toBeUndefined()
  })

  test.for<[string, JsonObject]>([
    ['no role', {}],
    ['a role of its own', { role: 'model' }],
    ['one without a type', { role: 'model', type: undefined }],
  ])('takes what was said under %s for the assistant’s, where it was an output', ([, more]) => {
    const content = [{ type: 'output_text', text: 'Hi.' }]
    const input = [
      { type: 'message', ...more, content },
      { role: 'user', content: 'Hello' },
    ]
    expect(parse({ input }).body.value['messages']).toEqual([
      { role: 'assistant', content: 'Hi.' },
      { role: 'user', content: 'Hello' },
    ])
    const role = { status: 400, param: 'input[0].role' }
    expect(refusalOf(createDialect(), { model: 'm', input }, true)).toMatchObject(role)
    const said = [{ type: 'message', ...more, content: [{ type: 'input_text', text: 'Hi.' }] }]
    expect(refusalOf(createDialect(), { model: 'm', input: said })).toMatchObject(role)
  })

  test('needs no input where instructions are all', () => {
    const messages = [{ role: 'system', content: 'Say hello.' }]
    expect(parse({ input: [], instructions: 'Say hello.' }).body).toEqual({ model: 'm', messages })
  })

  test('is steered like any other', () => {
    const call = parse({ model: 'm:floor', provider: { only: ['a'] } })
    expect(call).toMatchObject({ model: 'm', steering: { strategy: 'cheapest', only: ['a'] } })
    expect(call.body).not.toHaveProperty('provider')
  })
})

describe('what is refused', () => {
  const missing = 'missing_required_parameter'
  test.for<[string, JsonObject, object]>([
    ['no model', { model: null }, { param: 'model' }],
    ['no input', { input: null }, { param: 'input', code: missing }],
    ['an input of no kind', { input: 5 }, { param: 'input', code: 'invalid_type' }],
    ['an input of nothing', { input: [] }, { param: 'input', code: 'empty_array' }],
    [
      'an input of which nothing is left',
      { input: [{ type: 'web_search_call', id: 'ws_1' }] },
      { param: 'input', code: 'empty_array' },
    ],
    [
      'a role of its own',
      { input: [{ role: 'tool', content: 'x' }] },
      { param: 'input[0].role', code: 'invalid_value' },
    ],
    ['a message without words', { input: [{ role: 'user' }] }, { param: 'input[0].content', code: missing }],
    [
      'an image by id',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file_1' }] }] },
      { param: 'input[0].content[0].image_url', code: missing },
    ],
    [
      'a file by id',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }] },
      { param: 'input[0].content[0].file_data', code: missing },
    ],
    [
      'a call without a name',
      { input: [{ type: 'function_call', call_id: 'call_1', arguments: '{}' }] },
      { param: 'input[0].name', code: missing },
    ],
    [
      'a result of nothing',
      { input: [{ type: 'function_call_output', output: 'x' }] },
      { param: 'input[0].call_id', code: missing },
    ],
    ['a tool without a name', { tools: [{ type: 'function' }] }, { param: 'tools[0].name', code: missing }],
    ['a choice of no kind', { tool_choice: 'any' }, { code: 'invalid_value' }],
    [
      'a schema without a name',
      { text: { format: { type: 'json_schema', schema } } },
      { param: 'text.format.name', code: missing },
    ],
    ['no tokens', { max_output_tokens: 0 }, { param: 'max_output_tokens', code: 'integer_below_min_value' }],
    ['several answers', { n: 2 }, { param: 'n', code: 'integer_above_max_value' }],
    ['work in the background', { background: true }, { param: 'background', code: 'unsupported_parameter' }],
    ['a conversation', { conversation: 'conv_1' }, { param: 'conversation', code: 'unsupported_parameter' }],
    ['a prompt by id', { prompt: { id: 'pmpt_1' } }, { param: 'prompt', code: 'unsupported_parameter' }],
  ])('%s', ([, asked, refusal]) => {
    const body = { model: 'm', input: 'Hello', ...asked }
    expect(refusalOf(createDialect(), body)).toMatchObject({ status: 400, ...refusal })
  })

  test.for<[string, JsonObject, object]>([
    ['an unknown field', { top_k: 5 }, { param: 'top_k', code: 'unknown_parameter' }],
    ['too few tokens', { max_output_tokens: 15 }, { code: 'integer_below_min_value' }],
    [
      'an include that there is not',
      { include: ['the.moon'] },
      { param: 'include[0]', code: 'invalid_value' },
    ],
    ['a number among the metadata', { metadata: { a: 1 } }, { param: 'metadata.a', code: 'invalid_type' }],
    [
      'a result without its call',
      { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] },
      { param: 'input', code: null },
    ],
    [
      'a call without its result',
      { input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }] },
      { param: 'input', code: null },
    ],
    [
      'a format that there is not',
      { text: { format: { type: 'yaml' } } },
      { param: 'text.format.type', code: 'invalid_value' },
    ],
    [
      'an unknown field inside a tool',
      { tools: [{ type: 'function', name: 'f', parameters: {}, colour: 'red' }] },
      { param: 'tools[0].colour', code: 'unknown_parameter' },
    ],
    ['an effort that there is not', { reasoning: { effort: 'extreme' } }, { param: 'reasoning.effort' }],
    [
      'a part of a chat',
      { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] },
      { param: 'input[0].content[0].type', code: 'invalid_value' },
    ],
  ])('%s, by a strict gateway alone', ([, asked, refusal]) => {
    const body = { model: 'm', input: 'Hello', ...asked }
    expect(refusalOf(createDialect(), body)).toBeUndefined()
    expect(refusalOf(createDialect(), body, true)).toMatchObject({ status: 400, ...refusal })
  })
})
