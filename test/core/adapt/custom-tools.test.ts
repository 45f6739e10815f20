import { describe, expect, test } from 'vitest'
import { createCustomCalls, plainTools } from '../../../src/core/adapt/custom-tools.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { chatChunk, chatReply } from '../../harness/scripted-upstream.ts'

const plain = { type: 'function', function: { name: 'f', parameters: {} } }
const custom = { type: 'custom', custom: { name: 'patch' } }
const input = {
  type: 'object',
  properties: { input: { type: 'string', description: 'All that the tool is given, word for word.' } },
  required: ['input'],
  additionalProperties: false,
}

describe('tools as functions', () => {
  const cases: [string, JsonObject, JsonObject][] = [
    [
      'of a custom one',
      { tools: [plain, custom], seed: 1 },
      { tools: [plain, { type: 'function', function: { name: 'patch', parameters: input } }], seed: 1 },
    ],
    [
      'of one with a grammar',
      {
        tools: [
          {
            type: 'custom',
            custom: {
              name: 'patch',
              description: 'Patches.',
              format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } },
            },
          },
        ],
      },
      {
        tools: [
          {
            type: 'function',
            function: {
              name: 'patch',
              description: 'Patches.\n\nThe input is written in this lark grammar:\nstart: "x"',
              parameters: input,
            },
          },
        ],
      },
    ],
    [
      'with a custom one chosen',
      { tools: [custom], tool_choice: { type: 'custom', custom: { name: 'patch' } } },
      {
        tools: [{ type: 'function', function: { name: 'patch', parameters: input } }],
        tool_choice: { type: 'function', function: { name: 'patch' } },
      },
    ],
    [
      'of which some are allowed',
      {
        tools: [plain, { type: 'function', function: { name: 'g' } }],
        tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [plain] } },
      },
      { tools: [plain], tool_choice: 'required' },
    ],
    [
      'called before',
      {
        messages: [
          { role: 'user', content: 'Hi.' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'patch', input: 'x"' } }],
          },
        ],
      },
      {
        messages: [
          { role: 'user', content: 'Hi.' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'patch', arguments: '{"input":"x\\""}' } },
            ],
          },
        ],
      },
    ],
  ]
  test.for(cases)('%s', ([, body, expected]) => {
    const before = structuredClone(body)
    expect(plainTools(body)?.body).toEqual(expected)
    expect(body).toEqual(before)
  })

  test.for<JsonObject>([
    {},
    { tools: [plain], tool_choice: 'auto' },
    { messages: [{ role: 'user', content: 'x' }] },
  ])('are unchanged in %j', (body) => {
    expect(plainTools(body)).toBeUndefined()
  })

  test('none of which is allowed are refused', () => {
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [custom] } }
    expect(() => plainTools({ tools: [plain], tool_choice: choice })).toThrow(
      expect.objectContaining({ kind: 'invalid_request', param: 'tool_choice.allowed_tools.tools' }),
    )
  })
})

describe('a call of a custom tool', () => {
  const fragment = (index: number, called: JsonObject, more: JsonObject = {}) =>
    chatChunk({ tool_calls: [{ index, ...more, function: called }] })

  test('is converted back in a reply', () => {
    const called = { id: 'a', type: 'function', function: { name: 'patch', arguments: '{"input":"x"}' } }
    const other = { id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } }
    const seen = turned([chatReply({ tool_calls: [called, other] }, 'tool_calls')])
    expect(seen[0]?.value.choices[0]?.message?.tool_calls).toEqual([
      { id: 'a', type: 'custom', custom: { name: 'patch', input: 'x' } },
      other,
    ])
  })

  test('streams its input in one piece when complete, other calls unchanged', () => {
    const seen = turned([
      fragment(0, { name: 'patch', arguments: '' }, { id: 'a', type: 'function' }),
      fragment(0, { arguments: '{"inp' }),
      fragment(1, { name: 'f', arguments: '{' }, { id: 'b', type: 'function' }),
      fragment(0, { arguments: 'ut":"x"}' }),
      fragment(1, { arguments: '}' }),
      chatChunk({}, 'tool_calls'),
    ])
    expect(seen.map(({ value: chunk }) => chunk.choices[0]?.delta?.tool_calls)).toEqual([
      [{ index: 0, id: 'a', type: 'custom', custom: { name: 'patch', input: '' } }],
      undefined,
      [{ index: 1, id: 'b', type: 'function', function: { name: 'f', arguments: '{' } }],
      undefined,
      [{ index: 1, function: { arguments: '}' } }],
      [{ index: 0, custom: { input: 'x' } }],
    ])
  })

  test('has the model’s text as its input, if that is not JSON', () => {
    const called = { id: 'a', type: 'function', function: { name: 'patch', arguments: '*** x' } }
    const [seen] = turned([chatReply({ tool_calls: [called] })])
    expect(seen?.value.choices[0]?.message?.tool_calls?.[0]?.['custom']).toEqual({
      name: 'patch',
      input: '*** x',
    })
  })

  test('leaves everything else unchanged', () => {
    const delta = JsonText.read(chatChunk({ content: 'x' }), 'wire') as unknown as Delta
    expect(createCustomCalls(new Set(['patch']))(delta)).toBe(delta)
  })
})

function turned(chunks: readonly JsonObject[]): readonly Delta[] {
  const turn = createCustomCalls(new Set(['patch']))
  return chunks.map((chunk) => turn(JsonText.of(chunk) as unknown as Delta))
}
