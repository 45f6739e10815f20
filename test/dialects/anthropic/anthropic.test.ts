import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anthropic } from '../../../src/dialects/anthropic/anthropic.ts'
import { incoming, refusalOf } from '../requests.ts'
import { empty, high, low, missing, wrong } from '../wording.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const valid = { model: 'mistral-7b', max_tokens: 100, messages }
const told = { role: 'user', content: 'Hello' }
const content = (block: unknown, role = 'user') => ({ messages: [{ role, content: [block] }] })
const at = 'messages[0].content[0]'

const refused: [change: object, param: string | null, message: string][] = [
  [{ model: undefined }, 'model', 'you must provide a model parameter'],
  [{ model: 5 }, 'model', wrong('model', 'a string', 'an integer')],
  [{ messages: undefined }, 'messages', missing('messages')],
  [{ messages: null }, 'messages', missing('messages')],
  [{ messages: [] }, 'messages', empty('messages')],
  [{ messages: 'Hello' }, 'messages', wrong('messages', 'an array of objects', 'a string')],
  [{ messages: [{ content: 'x' }] }, 'messages[0].role', missing('messages[0].role')],
  [
    { messages: [{ role: 'tool', content: 'x' }] },
    'messages[0].role',
    "Invalid value: 'tool'. Supported values are: 'user', 'assistant', and 'system'.",
  ],
  [{ messages: [{ role: 'user' }] }, 'messages[0].content', missing('messages[0].content')],
  [
    { messages: [{ role: 'user', content: 5 }] },
    'messages[0].content',
    wrong('messages[0].content', 'one of a string or array of objects', 'an integer'),
  ],
  [content({ type: 'text' }), `${at}.text`, missing(`${at}.text`)],
  [content({ text: 'x' }), `${at}.type`, missing(`${at}.type`)],
  [content({ type: 'tool_result' }), `${at}.tool_use_id`, missing(`${at}.tool_use_id`)],
  [
    content({ type: 'tool_result', tool_use_id: 't' }, 'assistant'),
    `${at}.type`,
    expect.stringContaining("Invalid value: 'tool_result'."),
  ],
  [
    content({ type: 'thinking', thinking: 'Hm' }),
    `${at}.type`,
    expect.stringContaining("Invalid value: 'thinking'."),
  ],
  [
    content({ type: 'tool_use', id: 't', name: 'n', input: 'x' }, 'assistant'),
    `${at}.input`,
    wrong(`${at}.input`, 'an object', 'a string'),
  ],
  [
    content({ type: 'image', source: { type: 'file', file_id: 'f' } }),
    `${at}.source.type`,
    "Invalid value: 'file'. Supported values are: 'base64' and 'url'.",
  ],
  [
    content({ type: 'document', source: { type: 'url', url: 'https://x.test' } }),
    `${at}.source.type`,
    "Invalid value: 'url'. Supported values are: 'base64', 'text', and 'content'.",
  ],
  [{ system: 5 }, 'system', wrong('system', 'one of a string or array of objects', 'an integer')],
  [{ system: [{ type: 'text' }] }, 'system[0].text', missing('system[0].text')],
  [{ max_tokens: '5' }, 'max_tokens', wrong('max_tokens', 'an integer', 'a string')],
  [{ max_tokens: -1 }, 'max_tokens', low('max_tokens', 'integer', 0, -1)],
  [{ top_p: 2 }, 'top_p', high('top_p', 'decimal', 1, 2)],
  [{ stop_sequences: 'x' }, 'stop_sequences', wrong('stop_sequences', 'an array of strings', 'a string')],
  [{ tools: [{ input_schema: {} }] }, 'tools[0].name', missing('tools[0].name')],
  [{ tools: [{ name: 'a' }] }, 'tools[0].input_schema', missing('tools[0].input_schema')],
  [
    { tool_choice: { type: 'required' } },
    'tool_choice.type',
    "Invalid value: 'required'. Supported values are: 'auto', 'any', 'tool', and 'none'.",
  ],
  [{ tool_choice: { type: 'tool' } }, 'tool_choice.name', missing('tool_choice.name')],
  [
    { output_config: { format: { type: 'json_schema' } } },
    'output_config.format.schema',
    missing('output_config.format.schema'),
  ],
  [{ n: 2 }, 'n', high('n', 'integer', 1, 2)],
]

/** Anthropic has no such fields, or other bounds. */
const refusedHere: typeof refused = [
  [{ temperature: 3 }, 'temperature', high('temperature', 'decimal', 2, 3)],
  [{ seed: 'x' }, 'seed', wrong('seed', 'an integer', 'a string')],
]

const refusedByAnthropic: [change: object, param: string, message: unknown][] = [
  [{ max_tokens: undefined }, 'max_tokens', missing('max_tokens')],
  [{ temperature: 1.5 }, 'temperature', high('temperature', 'decimal', 1, 1.5)],
  [
    { thinking: { type: 'enabled', budget_tokens: 10 } },
    'thinking.budget_tokens',
    low('thinking.budget_tokens', 'integer', 1024, 10),
  ],
  [{ min_p: 0.1 }, 'min_p', 'Unrecognized request argument supplied: min_p'],
  [content({ type: 'chart' }), `${at}.type`, expect.stringContaining("Invalid value: 'chart'.")],
  [content({ type: 'chart' }, 'assistant'), `${at}.type`, expect.stringContaining("Invalid value: 'chart'.")],
  [
    content({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'chart' }] }),
    `${at}.content[0].type`,
    expect.stringContaining("Invalid value: 'chart'."),
  ],
]

describe('A request for a message', () => {
  test.for(refused)('with %j is refused', ([change, param, message]) => {
    for (const strict of [false, true]) {
      expect(refusalOf(anthropic, { ...valid, ...change }, strict)).toMatchObject({
        status: 400,
        param,
        message,
      })
    }
  })

  test.for(refusedHere)('with %j is refused as a chat would be', ([change, param, message]) => {
    expect(refusalOf(anthropic, { ...valid, ...change })).toMatchObject({ status: 400, param, message })
  })

  test.for(refusedByAnthropic)('with %j is refused where Anthropic would', ([change, param, message]) => {
    expect(refusalOf(anthropic, { ...valid, ...change }, true)).toMatchObject({ status: 400, param, message })
    expect(refusalOf(anthropic, { ...valid, ...change }, false)).toBeUndefined()
  })

  const schema = { type: 'object', properties: {} }
  const translated: [given: object, becomes: object, dropped?: string[]][] = [
    [{}, {}],
    [
      { stream: true, temperature: 0.5, top_p: 0.9, top_k: 40 },
      { stream: true, temperature: 0.5, top_p: 0.9, top_k: 40 },
    ],
    [{ stop_sequences: ['a', 'b'] }, { stop: ['a', 'b'] }],
    [{ stop_sequences: [], system: null, tools: null, metadata: null }, {}],
    [{ metadata: { user_id: 'u1' } }, { user: 'u1' }],
    [{ metadata: { user_id: null, team: 'x' } }, {}, ['metadata']],
    [{ system: 'Be brief.' }, { messages: [{ role: 'system', content: 'Be brief.' }, told] }],
    [
      { tools: [{ name: 'a', input_schema: schema }], tool_choice: { type: 'any' } },
      {
        tools: [{ type: 'function', function: { name: 'a', parameters: schema } }],
        tool_choice: 'required',
      },
    ],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, { reasoning_effort: 'low' }],
    [{ thinking: { type: 'enabled', budget_tokens: 4096 } }, { reasoning_effort: 'medium' }],
    [{ thinking: { type: 'enabled', budget_tokens: 16_384 } }, { reasoning_effort: 'high' }],
    [{ thinking: { type: 'enabled' } }, {}],
    [{ thinking: { type: 'disabled' } }, {}, ['thinking']],
    [{ thinking: { type: 'adaptive', display: 'omitted' } }, {}, ['thinking.display']],
    [{ output_config: { effort: 'low' } }, { reasoning_effort: 'low' }],
    [{ output_config: { effort: 'max' }, thinking: { type: 'adaptive' } }, { reasoning_effort: 'high' }],
    [
      { output_config: { effort: 'medium' }, thinking: { type: 'enabled', budget_tokens: 20_000 } },
      { reasoning_effort: 'medium' },
    ],
    [{ output_config: { effort: 'low' }, reasoning_effort: 'high' }, { reasoning_effort: 'high' }],
    [
      { output_config: { format: { type: 'json_schema', schema } } },
      { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } } },
    ],
    [
      { min_p: 0.1, chat_template_kwargs: { a: [1] } },
      { min_p: 0.1, chat_template_kwargs: { a: [1] } },
    ],
    [
      { cache_control: { type: 'ephemeral' }, service_tier: 'auto', container: null, speed: 'fast' },
      {},
      ['cache_control', 'service_tier', 'speed'],
    ],
  ]
  test.for(translated)('with %j is that of a chat with %j', ([given, becomes, dropped = []]) => {
    const request = incoming({ ...valid, ...given })
    const before = JSON.stringify(request.body)
    const call = anthropic.parse(request)
    expect(call.body).toEqual({ model: 'mistral-7b', max_tokens: 100, messages: [told], ...becomes })
    expect(call.dropped).toEqual(dropped)
    expect(call).toMatchObject({ kind: 'chat', dialect: 'messages', model: 'mistral-7b' })
    expect(call.stream).toBe('stream' in given)
    expect(JSON.stringify(request.body)).toBe(before)
  })

  test('names no more of what is left out than fits into a header', () => {
    const blocks = Array.from({ length: 500 }, (_, index) => ({ type: `block-${index}` }))
    const call = anthropic.parse(
      incoming({ ...valid, messages: [told, { role: 'assistant', content: blocks }] }),
    )
    expect(call.dropped).toHaveLength(32)
  })

  test('may show a file by its id, which is left out by name, even where Anthropic insists', () => {
    const uploaded = { role: 'user', content: [{ type: 'container_upload', file_id: 'f' }] }
    for (const strict of [false, true]) {
      const call = anthropic.parse(incoming({ ...valid, messages: [uploaded, told] }, strict))
      expect(call.body.value['messages']).toEqual([told])
      expect(call.dropped).toEqual(['messages.container_upload'])
    }
  })

  test('may say where it can run, like any other dialect', () => {
    const call = anthropic.parse(
      incoming({ ...valid, model: 'a:floor', models: ['b'], provider: { only: ['x'] } }),
    )
    expect(call.body).toEqual({ model: 'a', max_tokens: 100, messages: [told] })
    expect(call).toMatchObject({ model: 'a', steering: { models: ['b'], only: ['x'], strategy: 'cheapest' } })
  })

  test('keeps whatever else it holds', () => {
    const extras = fc.dictionary(
      fc.string({ unit: 'binary' }).map((name) => `x-${name}`),
      fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
    )
    fc.assert(
      fc.property(extras, (more) => {
        const { body } = anthropic.parse(incoming({ ...more, ...valid }))
        expect(JSON.parse(JSON.stringify(body))).toEqual(JSON.parse(JSON.stringify({ ...more, ...valid })))
      }),
    )
  })

  test('does no worse than be refused, whatever a field holds', () => {
    const fields =
      'model messages system tools tool_choice stop_sequences thinking output_config metadata stream'
    const blocks = fc.constantFrom(
      'text',
      'image',
      'document',
      'tool_result',
      'tool_use',
      'thinking',
      'search_result',
    )
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.array(
        fc.record({ type: blocks, content: fc.jsonValue(), source: fc.jsonValue(), text: fc.string() }),
      ),
      fc.array(
        fc.record({
          role: fc.constantFrom('user', 'assistant', 'system'),
          content: fc.array(fc.record({ type: blocks, content: fc.jsonValue(), text: fc.string() })),
        }),
      ),
    )
    fc.assert(
      fc.property(fc.constantFrom(...fields.split(' ')), value, fc.boolean(), (key, given, strict) => {
        try {
          anthropic.parse(incoming({ ...valid, [key]: given }, strict))
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'Failure', status: 400 })
        }
      }),
    )
  })
})
