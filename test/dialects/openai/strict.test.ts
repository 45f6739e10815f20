import { describe, expect, test } from 'vitest'
import { chat } from '../../../src/dialects/openai/chat.ts'
import { embeddings } from '../../../src/dialects/openai/embeddings.ts'
import { refusalOf } from '../requests.ts'

const user = { role: 'user', content: 'Hi' }
const f = { type: 'function', function: { name: 'f' } }
const called = { role: 'assistant', content: null, tool_calls: [{ id: 'a', ...f }] }
const result = { role: 'tool', tool_call_id: 'a', content: '7' }
const naming = (name: string) => ({ tools: [{ type: 'function', function: { name } }] })
const saying = (...messages: readonly object[]) => ({ messages })
const part = (one: object) => saying({ role: 'user', content: [one] })

/** What of a chat OpenAI refuses, and where. */
const refused: readonly (readonly [body: object, param: string, code?: string | null])[] = [
  [{ tool_choice: 'auto' }, 'tool_choice'],
  [{ tool_choice: 'sometimes', tools: [f] }, 'tool_choice'],
  [{ tool_choice: { type: 'function', function: { name: 'g' } }, tools: [f] }, 'tool_choice'],
  [
    { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [f] } }, ...naming('g') },
    'tool_choice',
  ],
  [{ parallel_tool_calls: true }, 'parallel_tool_calls'],
  [{ tools: [] }, 'tools', 'empty_array'],
  [naming('get weather'), 'tools[0].function.name'],
  [naming('x'.repeat(65)), 'tools[0].function.name', 'string_above_max_length'],
  [{ tools: [{ type: 'abacus' }] }, 'tools[0].type'],
  [{ tools: [{ type: 'custom', custom: { name: 'a b' } }] }, 'tools[0].custom.name'],
  [{ tools: [f], functions: [{ name: 'f' }] }, 'functions', 'invalid_parameter_combination'],
  [{ functions: [] }, 'functions', 'empty_array'],
  [{ function_call: { name: 'f' } }, 'function_call'],
  [{ functions: [{ name: 'f' }], function_call: { name: 'g' } }, 'function_call'],
  [
    { response_format: { type: 'json_schema', json_schema: { schema: {} } } },
    'response_format.json_schema.name',
    'missing_required_parameter',
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: {} } } },
    'response_format.json_schema.name',
  ],
  [{ response_format: { type: 'json_object' } }, 'messages', null],
  [{ response_format: { type: 'yaml' } }, 'response_format.type'],
  [saying(user, result), 'messages[1].role', null],
  [saying(user, called, result, result), 'messages[3].role', null],
  [
    saying(user, called, { role: 'tool', content: '7' }),
    'messages[2].tool_call_id',
    'missing_required_parameter',
  ],
  [saying(user, called), 'messages', null],
  [saying(user, called, user), 'messages[2]', null],
  [saying(user, { role: 'assistant', content: null }), 'messages[1].content', null],
  [part({ type: 'smell', smell: 'rose' }), 'messages[0].content[0].type'],
  [
    part({ type: 'image_url', image_url: { url: 'https://a.test/b.png', detail: 'ultra' } }),
    'messages[0].content[0].image_url.detail',
  ],
  [
    saying({ role: 'system', content: [{ type: 'image_url', image_url: { url: 'x' } }] }, user),
    'messages[0].content[0].type',
  ],
  [saying({ ...user, name: 'John Smith' }), 'messages[0].name'],
  [{ max_tokens: 0 }, 'max_tokens', 'integer_below_min_value'],
  [{ max_completion_tokens: 0 }, 'max_completion_tokens', 'integer_below_min_value'],
  [{ max_tokens: 5, max_completion_tokens: 5 }, 'max_tokens', 'invalid_parameter_combination'],
  [{ logit_bias: { 1: 500 } }, 'logit_bias.1', 'decimal_above_max_value'],
  [{ logit_bias: { foo: 0 } }, 'logit_bias'],
  [{ metadata: sized(17) }, 'metadata', 'object_above_max_properties'],
  [{ metadata: { a: 1 } }, 'metadata.a', 'invalid_type'],
  [{ modalities: ['smell'] }, 'modalities[0]'],
]

describe.for(refused)('the chat %j', ([body, param, code = 'invalid_value']) => {
  const sent = { model: 'm', messages: [user], ...body }

  test('is taken by a gateway that is not strict', () => {
    expect(refusalOf(chat, sent)).toBeUndefined()
  })

  test(`is refused by a strict one, for its ${param}`, () => {
    expect(refusalOf(chat, sent, true)).toMatchObject({ status: 400, param, code })
  })
})

test('a tool that must be called, where there is none, is refused by every gateway', () => {
  for (const body of [
    { tool_choice: 'required' },
    { tools: [], tool_choice: 'required' },
    { tools: [], tool_choice: { type: 'function', function: { name: 'f' } } },
  ]) {
    for (const strict of [false, true]) {
      expect(refusalOf(chat, { model: 'm', messages: [user], ...body }, strict)?.status).toBe(400)
    }
  }
})

describe.for([
  { response_format: { type: 'json_object' }, messages: [{ role: 'user', content: 'As JSON, please.' }] },
  { tools: [f], tool_choice: { type: 'function', function: { name: 'f' } } },
  { tools: [f], tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [f] } } },
  { tool_choice: 'none' },
  saying(user, called, result, user),
  saying(user, { role: 'assistant', content: null, refusal: 'No.' }, user),
  { metadata: sized(16) },
])('the chat %j', (body) => {
  test('is taken, strict or not', () => {
    for (const strict of [false, true]) {
      expect(refusalOf(chat, { model: 'm', messages: [user], ...body }, strict)).toBeUndefined()
    }
  })
})

test('an empty text among others has no vector, for a strict gateway', () => {
  const body = { model: 'm', input: ['a', ''] }
  expect(refusalOf(embeddings, body)).toBeUndefined()
  expect(refusalOf(embeddings, body, true)).toMatchObject({ status: 400, param: 'input[1]' })
})

function sized(keys: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, 'v']))
}
