import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chat } from '../../../src/dialects/openai/chat.ts'
import { incoming, refusalOf } from '../requests.ts'
import { missing, wrong } from '../wording.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const valid = { model: 'mistral-7b', messages }

const contentForms = 'one of a string or array of objects'
const roles = "'system', 'assistant', 'user', 'function', 'tool'"

/** The first message · message · param · code. */
const refusedMessages: [unknown, string, string, string][] = [
  ['hi', wrong('messages[0]', 'an object', 'a string'), 'messages[0]', 'invalid_type'],
  [null, wrong('messages[0]', 'an object', 'null'), 'messages[0]', 'invalid_type'],
  [['user', 'hi'], wrong('messages[0]', 'an object', 'an array'), 'messages[0]', 'invalid_type'],
  [{}, missing('messages[0].role'), 'messages[0].role', 'missing_required_parameter'],
  [{ content: 'hi' }, missing('messages[0].role'), 'messages[0].role', 'missing_required_parameter'],
  [
    { role: 'robot', content: 'hi' },
    `Invalid value: 'robot'. Supported values are: ${roles}, and 'developer'.`,
    'messages[0].role',
    'invalid_value',
  ],
  [
    { role: 'constructor', content: 'hi' },
    `Invalid value: 'constructor'. Supported values are: ${roles}, and 'developer'.`,
    'messages[0].role',
    'invalid_value',
  ],
  [
    { role: 5, content: 'hi' },
    wrong('messages[0].role', `one of ${roles}, or 'developer'`, 'an integer'),
    'messages[0].role',
    'invalid_type',
  ],
  [{ role: 'user' }, missing('messages[0].content'), 'messages[0].content', 'missing_required_parameter'],
  [
    { role: 'user', content: null },
    wrong('messages[0].content', contentForms, 'null'),
    'messages[0].content',
    'invalid_type',
  ],
  [
    { role: 'system', content: 5 },
    wrong('messages[0].content', contentForms, 'an integer'),
    'messages[0].content',
    'invalid_type',
  ],
  [
    { role: 'user', content: { text: 'hi' } },
    wrong('messages[0].content', contentForms, 'an object'),
    'messages[0].content',
    'invalid_type',
  ],
  [{ role: 'tool' }, missing('messages[0].content'), 'messages[0].content', 'missing_required_parameter'],
  [
    { role: 'user', content: [] },
    "Invalid 'messages[0].content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    'messages[0].content',
    'empty_array',
  ],
  [
    { role: 'user', content: ['hi'] },
    wrong('messages[0].content[0]', 'an object', 'a string'),
    'messages[0].content[0]',
    'invalid_type',
  ],
  [
    { role: 'user', content: [{ type: 'text', text: 'a' }, { text: 'b' }] },
    missing('messages[0].content[1].type'),
    'messages[0].content[1].type',
    'missing_required_parameter',
  ],
  [
    { role: 'user', content: [{ type: 'text' }] },
    missing('messages[0].content[0].text'),
    'messages[0].content[0].text',
    'missing_required_parameter',
  ],
  [
    { role: 'user', content: [{ type: 'text', text: 5 }] },
    wrong('messages[0].content[0].text', 'a string', 'an integer'),
    'messages[0].content[0].text',
    'invalid_type',
  ],
  [
    { role: 'user', content: [{ type: 'image_url', image_url: {} }] },
    missing('messages[0].content[0].image_url.url'),
    'messages[0].content[0].image_url.url',
    'missing_required_parameter',
  ],
  [
    { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'UklG' } }] },
    missing('messages[0].content[0].input_audio.format'),
    'messages[0].content[0].input_audio.format',
    'missing_required_parameter',
  ],
  [
    { role: 'user', content: [{ type: 'file' }] },
    missing('messages[0].content[0].file'),
    'messages[0].content[0].file',
    'missing_required_parameter',
  ],
  [
    { role: 'user', content: 'hi', name: 5 },
    wrong('messages[0].name', 'a string', 'an integer'),
    'messages[0].name',
    'invalid_type',
  ],
  [
    { role: 'assistant', tool_calls: 'none' },
    wrong('messages[0].tool_calls', 'an array of objects', 'a string'),
    'messages[0].tool_calls',
    'invalid_type',
  ],
  [
    { role: 'assistant', tool_calls: [{ id: 'call_1', type: 'function', function: { arguments: '{}' } }] },
    missing('messages[0].tool_calls[0].function.name'),
    'messages[0].tool_calls[0].function.name',
    'missing_required_parameter',
  ],
  [
    { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: 5 } }] },
    wrong('messages[0].tool_calls[0].function.arguments', 'a string', 'an integer'),
    'messages[0].tool_calls[0].function.arguments',
    'invalid_type',
  ],
  [
    { role: 'tool', content: 'ok', tool_call_id: 5 },
    wrong('messages[0].tool_call_id', 'a string', 'an integer'),
    'messages[0].tool_call_id',
    'invalid_type',
  ],
]

/** What a lenient gateway mends · what it makes of it · message and param of a strict one. */
const mendedMessages: [object, object, string, string][] = [
  [
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_1', function: { name: 'f', arguments: { a: [1] } }, extra: 1 },
        { id: 'call_2', function: { name: 'f', arguments: '{"a":1}' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_1', function: { name: 'f', arguments: '{"a":[1]}' }, extra: 1 },
        { id: 'call_2', function: { name: 'f', arguments: '{"a":1}' } },
      ],
    },
    wrong('messages[0].tool_calls[0].function.arguments', 'a string', 'an object'),
    'messages[0].tool_calls[0].function.arguments',
  ],
  [
    { role: 'tool', content: null, tool_call_id: 'call_1' },
    { role: 'tool', content: '', tool_call_id: 'call_1' },
    wrong('messages[0].content', contentForms, 'null'),
    'messages[0].content',
  ],
]

/** What a strict gateway refuses: parts and ends that OpenAI does not know, results without calls. */
const looseMessages: object[] = [
  { role: 'user', content: [{ type: 'video_url', video_url: { url: 'https://example.com/cat.mp4' } }] },
  { role: 'assistant' },
  { role: 'assistant', content: null },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
  },
  { role: 'assistant', tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'f', input: 'x' } }] },
  { role: 'tool', content: 'done', tool_call_id: 'call_1' },
  { role: 'tool', content: [{ type: 'text', text: 'done' }], tool_call_id: 'call_1' },
  { role: 'tool', content: 'done' },
]

const acceptedMessages: object[] = [
  ...looseMessages,
  { role: 'user', content: '' },
  { role: 'system', content: 'Be brief.' },
  { role: 'developer', content: 'Be brief.', name: 'ops' },
  { role: 'user', content: [{ type: 'text', text: 'hi' }] },
  { role: 'user', content: [{ type: 'text', text: 'hi', prompt_cache_breakpoint: { mode: 'explicit' } }] },
  {
    role: 'user',
    content: [{ type: 'image_url', image_url: { url: 'https://example.com/cat.png', detail: 'low' } }],
  },
  { role: 'user', content: [{ type: 'image_url', image_url: 'https://example.com/cat.png' }] },
  { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } }] },
  { role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] },
  { role: 'assistant', content: [] },
  { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
  { role: 'assistant', content: 'hi', reasoning_content: 'they greeted me', reasoning: null, refusal: null },
  { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' }, tool_calls: null },
  { role: 'function', name: 'f', content: null },
]

describe.for([
  ['lenient', false],
  ['strict', true],
] as const)('A %s gateway', ([, strict]) => {
  test.for(refusedMessages)('refuses the chat message %j: %s', ([first, message, param, code]) => {
    const body = { ...valid, messages: [first, ...messages] }
    expect(refusalOf(chat, body, strict)).toEqual({ status: 400, message, param, code })
  })

  const accepted = strict ? acceptedMessages.filter((one) => !looseMessages.includes(one)) : acceptedMessages
  test.for(accepted)('accepts the chat message %j', (first) => {
    expect(refusalOf(chat, { ...valid, messages: [first, ...messages] }, strict)).toBeUndefined()
  })
})

test.for(mendedMessages)('A lenient gateway mends %j', ([given, mended, message, param]) => {
  const request = incoming({ ...valid, messages: [given, ...messages] })
  const call = chat.parse(request)
  expect(call).toMatchObject({ converted: ['messages'] })
  expect(call.body).toEqual({ ...valid, messages: [mended, ...messages] })
  expect(request.body.value['messages']).toEqual([given, ...messages])
  expect(refusalOf(chat, request.body.value, true)).toEqual({
    status: 400,
    message,
    param,
    code: 'invalid_type',
  })
})

test('What needs no mending arrives as it was sent', () => {
  for (const first of acceptedMessages) {
    const request = incoming({ ...valid, messages: [first, ...messages] })
    const call = chat.parse(request)
    expect(call.body.text).toBe(request.body.text)
    expect(call.body).toBe(request.body)
    expect(call.converted).toBeUndefined()
  }
})

test('The position of a message at fault is reported', () => {
  const body = { ...valid, messages: [...messages, ...messages, { role: 'user' }] }
  expect(refusalOf(chat, body)?.param).toBe('messages[2].content')
})

test('A message is judged alike whether or not it carries unknown fields', () => {
  const role = fc.constantFrom('user', 'assistant', 'tool', 'system', 'robot', 5, null, undefined)
  const text = fc.constantFrom('hi', '', 5, null, undefined)
  const part = fc.record({ type: fc.constantFrom('text', 'other', undefined, 5), text })
  const content = fc.oneof(text, fc.array(fc.oneof(part, text), { maxLength: 3 }))
  fc.assert(
    fc.property(role, content, (role, content) => {
      const bare = refusalOf(chat, { ...valid, messages: [{ role, content }] })
      const laden = refusalOf(chat, { ...valid, messages: [{ role, content, unheard_of: 1 }] })
      expect(bare).toEqual(laden)
    }),
  )
})
