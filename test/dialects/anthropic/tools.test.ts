import { describe, expect, test } from 'vitest'
import { chatTools } from '../../../src/dialects/anthropic/tools.ts'

const input_schema = { type: 'object', properties: { city: { type: 'string' } } }
const weather = { name: 'weather', description: 'The weather.', input_schema }
const made = {
  type: 'function',
  function: { name: 'weather', description: 'The weather.', parameters: input_schema },
}
const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 3 }

type Case = [name: string, tools: unknown, choice: unknown, becomes: object, dropped?: string[]]

const cases: Case[] = [
  ['no tools are none', undefined, undefined, {}],
  ['an empty list is none, and nothing to choose from', [], { type: 'auto' }, {}],
  ['a tool is a function', [weather], undefined, { tools: [made] }],
  ['a tool may say that it is custom', [{ ...weather, type: 'custom' }], null, { tools: [made] }],
  [
    'a strict one without a description',
    [{ name: 'a', input_schema, strict: true }],
    undefined,
    { tools: [{ type: 'function', function: { name: 'a', parameters: input_schema, strict: true } }] },
  ],
  [
    'what a function cannot say is named',
    [{ ...weather, cache_control: { type: 'ephemeral' }, input_examples: [{}], defer_loading: null }],
    undefined,
    { tools: [made] },
    ['cache_control', 'tools.input_examples'],
  ],
  [
    'a tool of Anthropic’s own is left out, and named',
    [search, weather, { type: 'bash_20250124', name: 'bash' }],
    undefined,
    { tools: [made] },
    ['tools.web_search_20250305', 'tools.bash_20250124'],
  ],
  ['none may be left', [search], { type: 'auto' }, {}, ['tools.web_search_20250305']],
  ['auto', [weather], { type: 'auto' }, { tools: [made], tool_choice: 'auto' }],
  ['none', [weather], { type: 'none' }, { tools: [made], tool_choice: 'none' }],
  ['any', [weather], { type: 'any' }, { tools: [made], tool_choice: 'required' }],
  [
    'one by name',
    [weather],
    { type: 'tool', name: 'weather' },
    { tools: [made], tool_choice: { type: 'function', function: { name: 'weather' } } },
  ],
  [
    'one at a time',
    [weather],
    { type: 'auto', disable_parallel_tool_use: true },
    { tools: [made], tool_choice: 'auto', parallel_tool_calls: false },
  ],
  [
    'several at a time is how it is anyway',
    [weather],
    { type: 'any', disable_parallel_tool_use: false },
    { tools: [made], tool_choice: 'required' },
  ],
]

describe('Tools', () => {
  test.for(cases)('%s', ([, tools, choice, becomes, dropped = []]) => {
    const left = new Set<string>()
    expect(chatTools(tools, choice, left)).toEqual(becomes)
    expect([...left]).toEqual(dropped)
  })

  test.for<[string, unknown, object]>([
    ['any, where none is left', [search], { type: 'any' }],
    ['any, where there was none', undefined, { type: 'any' }],
    ['one that is left out', [search, weather], { type: 'tool', name: 'web_search' }],
    ['one that is not there', [weather], { type: 'tool', name: 'clock' }],
  ])('that are insisted on and cannot be had are refused: %s', ([, tools, choice]) => {
    expect(() => chatTools(tools, choice, new Set())).toThrow(
      expect.objectContaining({ kind: 'unsupported', param: 'tool_choice', status: 400 }),
    )
  })
})
