import { describe, expect, test } from 'vitest'
import { chat } from '../../../src/dialects/openai/chat.ts'
import { incoming, refusalOf } from '../requests.ts'
import { missing, wrong } from '../wording.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const valid = { model: 'mistral-7b', messages }

/** What is sent besides a model and messages · message · param · code. */
const alwaysRefused: [object, string, string, string | null][] = [
  [{ model: undefined }, 'you must provide a model parameter', 'model', null],
  [{ model: {} }, wrong('model', 'a string', 'an object'), 'model', 'invalid_type'],
  [{ messages: undefined }, missing('messages'), 'messages', 'missing_required_parameter'],
  [{ messages: null }, missing('messages'), 'messages', 'missing_required_parameter'],
  [{ messages: 'hi' }, wrong('messages', 'an array of objects', 'a string'), 'messages', 'invalid_type'],
  [{ messages: {} }, wrong('messages', 'an array of objects', 'an object'), 'messages', 'invalid_type'],
  [
    { messages: [] },
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    'messages',
    'empty_array',
  ],
  [{ stream: 'yes' }, wrong('stream', 'a boolean', 'a string'), 'stream', 'invalid_type'],
  [{ logprobs: 5 }, wrong('logprobs', 'a boolean', 'an integer'), 'logprobs', 'invalid_type'],
  [
    { top_logprobs: 21 },
    "Invalid 'top_logprobs': integer above maximum value. Expected a value <= 20, but got 21 instead.",
    'top_logprobs',
    'integer_above_max_value',
  ],
  [
    { max_completion_tokens: -1 },
    "Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 0, but got -1 instead.",
    'max_completion_tokens',
    'integer_below_min_value',
  ],
  [
    { temperature: 3 },
    "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
    'temperature',
    'decimal_above_max_value',
  ],
  [
    { n: 0 },
    "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    'n',
    'integer_below_min_value',
  ],
  [{ tools: 'all' }, wrong('tools', 'an array of objects', 'a string'), 'tools', 'invalid_type'],
  [{ tools: [{}] }, missing('tools[0].type'), 'tools[0].type', 'missing_required_parameter'],
  [
    { tools: [{ type: 'function' }] },
    missing('tools[0].function'),
    'tools[0].function',
    'missing_required_parameter',
  ],
  [
    { tools: [{ type: 'function', function: { description: 'x' } }] },
    missing('tools[0].function.name'),
    'tools[0].function.name',
    'missing_required_parameter',
  ],
  [
    { tool_choice: 1 },
    wrong('tool_choice', 'one of a string or object', 'an integer'),
    'tool_choice',
    'invalid_type',
  ],
  [{ functions: [{}] }, missing('functions[0].name'), 'functions[0].name', 'missing_required_parameter'],
  [{ function_call: {} }, missing('function_call.name'), 'function_call.name', 'missing_required_parameter'],
  [
    { response_format: 'json' },
    wrong('response_format', 'an object', 'a string'),
    'response_format',
    'invalid_type',
  ],
  [
    { response_format: {} },
    missing('response_format.type'),
    'response_format.type',
    'missing_required_parameter',
  ],
  [
    { response_format: { type: 'json_schema' } },
    missing('response_format.json_schema'),
    'response_format.json_schema',
    'missing_required_parameter',
  ],
  [
    { parallel_tool_calls: 'no' },
    wrong('parallel_tool_calls', 'a boolean', 'a string'),
    'parallel_tool_calls',
    'invalid_type',
  ],
  [{ metadata: 'x' }, wrong('metadata', 'an object', 'a string'), 'metadata', 'invalid_type'],
  [{ store: 'x' }, wrong('store', 'a boolean', 'a string'), 'store', 'invalid_type'],
  [
    { modalities: ['text', 1] },
    wrong('modalities[1]', 'a string', 'an integer'),
    'modalities[1]',
    'invalid_type',
  ],
]

const strictlyRefused: [object, string, string, string | null][] = [
  [{ top_k: 5 }, 'Unrecognized request argument supplied: top_k', 'top_k', 'unknown_parameter'],
  [{ prompt: 'x' }, 'Unrecognized request argument supplied: prompt', 'prompt', 'unknown_parameter'],
  [
    { stop: ['a', 'b', 'c', 'd', 'e'] },
    "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
    'stop',
    'array_above_max_length',
  ],
  [
    { stream_options: { include_usage: true } },
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    'stream_options',
    null,
  ],
  [
    { top_logprobs: 2 },
    "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
    'top_logprobs',
    null,
  ],
  [
    { service_tier: 'on_demand' },
    "Invalid value: 'on_demand'. Supported values are: 'auto', 'default', 'flex', 'scale', 'priority', and 'fast'.",
    'service_tier',
    'invalid_value',
  ],
  [
    { verbosity: 'chatty' },
    "Invalid value: 'chatty'. Supported values are: 'low', 'medium', and 'high'.",
    'verbosity',
    'invalid_value',
  ],
  [
    { reasoning_effort: 'extreme' },
    "Invalid value: 'extreme'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
    'reasoning_effort',
    'invalid_value',
  ],
]

const alwaysAccepted: object[] = [
  { logprobs: true, top_logprobs: 0 },
  { seed: -9007199254740991 },
  { logit_bias: { 50256: -100 } },
  {
    tools: [
      { type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: true } },
      { type: 'custom', custom: { name: 'patch', format: { type: 'text' } } },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: false,
  },
  { functions: [{ name: 'f' }], function_call: 'auto' },
  { functions: [{ name: 'f' }], function_call: { name: 'f' } },
  { response_format: { type: 'text' } },
  { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: {}, strict: true } } },
  {
    modalities: ['text'],
    audio: { voice: 'alloy', format: 'mp3' },
    prediction: { type: 'content', content: 'x' },
  },
  { service_tier: 'fast', reasoning_effort: 'none', verbosity: 'high', moderation: 'auto' },
  { metadata: { a: '1' }, store: false, user: 'u', safety_identifier: 's', prompt_cache_key: 'k' },
  { web_search_options: {}, prompt_cache_options: {}, prompt_cache_retention: '24h' },
  { stream: true, stream_options: { include_usage: true } },
  {
    tools: null,
    tool_choice: null,
    response_format: null,
    stop: null,
    n: null,
    logprobs: null,
    stream: null,
  },
]

describe.for([
  ['lenient', false],
  ['strict', true],
] as const)('A %s gateway', ([, strict]) => {
  test.for(alwaysRefused)('refuses the chat %j: %s', ([sent, message, param, code]) => {
    expect(refusalOf(chat, { ...valid, ...sent }, strict)).toEqual({ status: 400, message, param, code })
  })

  test.for(alwaysAccepted)('accepts the chat %j', (sent) => {
    expect(refusalOf(chat, { ...valid, ...sent }, strict)).toBeUndefined()
  })
})

describe.for(strictlyRefused)('The chat %j', ([sent, message, param, code]) => {
  test('is accepted by a lenient gateway', () => {
    expect(refusalOf(chat, { ...valid, ...sent })).toBeUndefined()
  })

  test(`is refused by a strict one: ${message}`, () => {
    expect(refusalOf(chat, { ...valid, ...sent }, true)).toEqual({ status: 400, message, param, code })
  })
})

test.for([
  [false, 'a string'],
  [true, "one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', or 'max'"],
] as const)('A reasoning effort that is no string is refused, strict or not: %s', ([strict, expected]) => {
  expect(refusalOf(chat, { ...valid, reasoning_effort: 5 }, strict)?.message).toBe(
    wrong('reasoning_effort', expected, 'an integer'),
  )
})

test('A chat request becomes a call with the body and the text it came with', () => {
  const request = incoming({ ...valid, stream: true, stream_options: { include_usage: true } })
  const call = chat.parse(request)
  expect(call).toMatchObject({
    dialect: 'chat',
    kind: 'chat',
    model: 'mistral-7b',
    stream: true,
    includeUsage: true,
  })
  expect(call.body).toBe(request.body)
  expect(call.body.text).toBe(request.body.text)
})

test('Chats are served at every prefix an SDK may be given as its base', () => {
  const paths = chat.prefixes.map((prefix) => prefix + chat.path)
  expect(paths).toEqual([
    '/v1/chat/completions',
    '/inference/chat/completions',
    '/inference/v1/chat/completions',
  ])
})
