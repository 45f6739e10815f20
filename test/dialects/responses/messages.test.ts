import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { inputItems } from '../../../src/dialects/responses/input.ts'
import { chatMessages } from '../../../src/dialects/responses/messages.ts'

const image = 'data:image/png;base64,AA=='
const call = (id: string, name = 'weather') => ({
  type: 'function_call',
  call_id: id,
  name,
  arguments: '{"a":1}',
})
const called = (id: string, name = 'weather') => ({
  id,
  type: 'function',
  function: { name, arguments: '{"a":1}' },
})
const result = (id: string, output: unknown = 'rain') => ({
  type: 'function_call_output',
  call_id: id,
  output,
})
const user = { role: 'user', content: 'Hello' }

/** What a chat gets for an input, and what it has no place for. */
function translated(input: unknown, instructions?: string) {
  const dropped = new Set<string>()
  const items = inputItems(input, 'stem', () => new Map())
  return { messages: chatMessages(instructions, items, dropped), dropped: [...dropped] }
}

describe('an input becomes the messages of a chat', () => {
  test.for<[string, unknown, JsonObject[]]>([
    ['a text', 'Hello', [user]],
    ['messages with and without a type', [user, { ...user, type: 'message' }], [user, user]],
    [
      'an empty text, which is no line of its own',
      [
        { role: 'assistant', content: '' },
        { role: 'assistant', content: '{' },
        { role: 'user', content: ['', 'one'].map((text) => ({ type: 'input_text', text })) },
      ],
      [
        { role: 'assistant', content: '{' },
        { role: 'user', content: 'one' },
      ],
    ],
    [
      'several texts of one message',
      [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'one' },
            { type: 'input_text', text: 'two' },
          ],
        },
      ],
      [{ role: 'user', content: 'one\ntwo' }],
    ],
    [
      'an image',
      [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What?' },
            { type: 'input_image', image_url: image, detail: 'auto' },
          ],
        },
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url: image } },
          ],
        },
      ],
    ],
    [
      'an image to be looked at closely',
      [{ role: 'user', content: [{ type: 'input_image', image_url: image, detail: 'original' }] }],
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: image, detail: 'high' } }] }],
    ],
    [
      'a file',
      [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:,x' }] }],
      [{ role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:,x' } }] }],
    ],
    [
      'a part of a chat',
      [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'x' } }] }],
      [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'x' } }] }],
    ],
    [
      'a turn of thoughts, words and calls',
      [
        user,
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Wait.' }] },
        call('call_1'),
        call('call_2'),
        result('call_1'),
        result('call_2'),
      ],
      [
        user,
        {
          role: 'assistant',
          content: 'Wait.',
          reasoning_content: 'Hm.',
          tool_calls: [called('call_1'), called('call_2')],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
        { role: 'tool', tool_call_id: 'call_2', content: 'rain' },
      ],
    ],
    [
      'words after a call, which may not stand between it and its result',
      [call('call_1'), { role: 'assistant', content: 'Wait.' }, result('call_1')],
      [
        { role: 'assistant', content: 'Wait.', tool_calls: [called('call_1')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
      ],
    ],
    [
      'calls one after the other',
      [call('call_1'), result('call_1'), call('call_2'), result('call_2')],
      [
        { role: 'assistant', content: null, tool_calls: [called('call_1')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
        { role: 'assistant', content: null, tool_calls: [called('call_2')] },
        { role: 'tool', tool_call_id: 'call_2', content: 'rain' },
      ],
    ],
    [
      'images that tools show, after all their results',
      [
        call('call_1'),
        call('call_2'),
        result('call_1', [
          { type: 'input_text', text: 'Seen.' },
          { type: 'input_image', image_url: image },
        ]),
        result('call_2'),
        { role: 'assistant', content: 'A cat.' },
      ],
      [
        { role: 'assistant', content: null, tool_calls: [called('call_1'), called('call_2')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'Seen.' },
        { role: 'tool', tool_call_id: 'call_2', content: 'rain' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] },
        { role: 'assistant', content: 'A cat.' },
      ],
    ],
    [
      'a call of a custom tool',
      [
        { type: 'custom_tool_call', call_id: 'call_1', name: 'patch', input: 'a "b"' },
        { type: 'custom_tool_call_output', call_id: 'call_1', output: 'done' },
      ],
      [
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'patch', arguments: '{"input":"a \\"b\\""}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'done' },
      ],
    ],
    [
      'a call in a namespace, without arguments',
      [{ ...call('call_1'), namespace: 'crm', arguments: '' }],
      [
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'crm__weather', arguments: '{}' } },
          ],
        },
      ],
    ],
    [
      'a refusal',
      [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }],
      [{ role: 'assistant', content: '', refusal: 'No.' }],
    ],
  ])('%s', ([, input, messages]) => {
    expect(translated(input)).toEqual({ messages, dropped: [] })
  })

  test.for<[string, unknown, JsonObject[]]>([
    ['before a text', 'Hello', [{ role: 'system', content: 'Be brief.' }, user]],
    [
      'before what else is said for the system',
      [{ role: 'developer', content: 'Be kind.' }, { role: 'system', content: 'Be true.' }, user],
      [{ role: 'system', content: 'Be brief.\n\nBe kind.\n\nBe true.' }, user],
    ],
    [
      'and apart from what is said later',
      [user, { role: 'developer', content: 'Be kind.' }],
      [{ role: 'system', content: 'Be brief.' }, user, { role: 'developer', content: 'Be kind.' }],
    ],
  ])('instructions stand %s', ([, input, messages]) => {
    expect(translated(input, 'Be brief.').messages).toEqual(messages)
  })

  test.for<[string, JsonObject]>([
    ['input.web_search_call', { type: 'web_search_call', id: 'ws_1', status: 'completed' }],
    ['input.compaction', { type: 'compaction', encrypted_content: 'x' }],
    ['input.reasoning', { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }],
  ])('%s is left out by name', ([name, item]) => {
    expect(translated([item, user])).toEqual({ messages: [user], dropped: [name] })
  })
})

describe('an input becomes items', () => {
  test.for<[string, unknown, JsonObject[]]>([
    [
      'a text',
      'Hello',
      [
        {
          id: 'msg_stem_in_0',
          type: 'message',
          status: 'completed',
          role: 'user',
          content: [{ type: 'input_text', text: 'Hello' }],
        },
      ],
    ],
    [
      'items with ids of their own, and without',
      [{ ...result('call_1'), id: 'fco_own' }, result('call_2')],
      [
        { ...result('call_1'), id: 'fco_own' },
        { ...result('call_2'), id: 'fco_stem_in_1' },
      ],
    ],
    ['a reference', [{ type: 'item_reference', id: 'msg_1' }], [{ id: 'msg_1', found: true }]],
    ['a reference without a type', [{ id: 'msg_1' }], [{ id: 'msg_1', found: true }]],
  ])('%s', ([, input, items]) => {
    const findItems = (ids: Iterable<string>) => new Map([...ids].map((id) => [id, { id, found: true }]))
    expect(inputItems(input, 'stem', findItems)).toEqual(items)
  })

  test('and no item twice', () => {
    const reference = { type: 'item_reference', id: 'msg_1' }
    const findItems = () => new Map([['msg_1', {}]])
    expect(() => inputItems([reference, reference], 'stem', findItems)).toThrow(
      "Duplicate item found with id 'msg_1'.",
    )
  })
})

const many = 200_000
test.for([
  ['messages of one role', Array(many).fill({ role: 'assistant', content: 'w' })],
  ['instructions', Array(many).fill({ role: 'system', content: 'w' })],
  ['images in a result', [result('call_1', Array(many).fill({ type: 'input_image', image_url: image }))]],
] as const)('%s take no longer, and no more room, where there are very many', ([, input]) => {
  expect(translated(input).messages).not.toHaveLength(0)
})
