import { describe, expect, test } from 'vitest'
import type { Choice, Message, Reply } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Usage } from '../../../src/core/model/terms.ts'
import { anthropic } from '../../../src/dialects/anthropic/anthropic.ts'
import { incoming, usage } from '../requests.ts'

const call = anthropic.parse(
  incoming({
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'x' }],
    stop_sequences: ['END', 'STOP'],
  }),
)

const look = (spelled: string | undefined, id = 't1') => ({
  id,
  type: 'function',
  function: { name: 'look', ...(spelled === undefined ? {} : { arguments: spelled }) },
})
const toolUse = (input: unknown, id = 't1') => ({
  type: 'tool_use',
  id,
  name: 'look',
  input,
  caller: { type: 'direct' },
})
const text = (words: string) => ({ type: 'text', text: words, citations: null })

function reply(message: Message, more: Partial<Choice> = {}, counted: Usage = usage): Reply {
  const choice: Choice = { index: 0, message, finish_reason: 'stop', ...more }
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm-1', choices: [choice] }
  return { chunk: JsonText.of(chunk), usage: counted }
}

function rendered(given: Reply): JsonObject {
  return JSON.parse(anthropic.render(given, call, { slow: false }))
}

test('A message has everything that Anthropic’s has', () => {
  expect(rendered(reply({ content: 'Hello' }))).toEqual({
    id: 'msg_00000000000000000000000000000001',
    type: 'message',
    role: 'assistant',
    model: 'm-1',
    content: [text('Hello')],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 5,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 2,
      output_tokens_details: null,
      cache_creation: null,
      inference_geo: null,
      server_tool_use: null,
      service_tier: null,
      speed: null,
    },
    container: null,
    diagnostics: null,
  })
})

describe('The content', () => {
  test.for<[string, Message, object[]]>([
    ['nothing', {}, []],
    ['no words', { content: null }, []],
    ['empty words', { content: '', reasoning_content: '', refusal: '' }, []],
    [
      'a thought and words',
      { content: 'Hi', reasoning_content: 'Hm' },
      [{ type: 'thinking', thinking: 'Hm', signature: '' }, text('Hi')],
    ],
    ['a refusal', { content: null, refusal: 'No.' }, [text('No.')]],
    [
      'words and calls',
      { content: 'I look.', tool_calls: [look('{"a": [1]}'), look('', 't2')] },
      [text('I look.'), toolUse({ a: [1] }), toolUse({}, 't2')],
    ],
    ['a call without arguments', { tool_calls: [look(undefined)] }, [toolUse({})]],
    ['a call with null', { tool_calls: [look('null')] }, [toolUse({})]],
  ])('is %s', ([, message, blocks]) => {
    expect(rendered(reply(message))['content']).toEqual(blocks)
  })

  test('keeps the digits of a number past 2^53', () => {
    const given = reply({ tool_calls: [look('{"id":12345678901234567890}')] })
    expect(anthropic.render(given, call, { slow: false })).toContain('"input":{"id":12345678901234567890}')
  })

  test.for(['{"a":', 'no object', '[1]', '"x"', '5'])('is no answer with a call of %s', (spelled) => {
    expect(() => rendered(reply({ tool_calls: [look(spelled)] }, { finish_reason: 'tool_calls' }))).toThrow(
      expect.objectContaining({ kind: 'invalid_response', status: 502 }),
    )
  })

  test('may hold a call that the bound on tokens cut short, and says so', () => {
    const cut = rendered(reply({ tool_calls: [look('{"a":')] }, { finish_reason: 'length' }))
    expect(cut).toMatchObject({ content: [toolUse({})], stop_reason: 'max_tokens' })
  })
})

describe('The reason to stop', () => {
  test.for<[Partial<Choice>, Message, object]>([
    [{ finish_reason: 'stop' }, {}, { stop_reason: 'end_turn', stop_sequence: null }],
    [{ finish_reason: 'length' }, {}, { stop_reason: 'max_tokens' }],
    [{ finish_reason: 'tool_calls' }, {}, { stop_reason: 'tool_use' }],
    [{ finish_reason: 'content_filter' }, {}, { stop_reason: 'refusal', stop_details: { type: 'refusal' } }],
    [{ finish_reason: 'stop' }, { refusal: 'No.' }, { stop_reason: 'refusal' }],
    [{ stop_reason: 'END' }, {}, { stop_reason: 'stop_sequence', stop_sequence: 'END' }],
    [{ matched_stop: 'STOP' }, {}, { stop_reason: 'stop_sequence', stop_sequence: 'STOP' }],
    [{ stop_reason: 154_827, matched_stop: null }, {}, { stop_reason: 'end_turn', stop_sequence: null }],
    [{ stop_reason: '</s>' }, {}, { stop_reason: 'end_turn', stop_sequence: null }],
    [{ finish_reason: 'length', stop_reason: 'END' }, {}, { stop_reason: 'max_tokens', stop_sequence: null }],
  ])('of %j and %j is %j', ([choice, message, ending]) => {
    expect(rendered(reply(message, choice))).toMatchObject(ending)
  })
})

describe('The usage', () => {
  const counts = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 }
  test.for<[object, object]>([
    [{}, { input_tokens: 100, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 7 }],
    [
      { prompt_tokens_details: { cached_tokens: 64 } },
      { input_tokens: 36, cache_read_input_tokens: 64, cache_creation_input_tokens: 0 },
    ],
    [{ cached_tokens: 64 }, { input_tokens: 36, cache_read_input_tokens: 64 }],
    [
      { prompt_tokens_details: { cached_tokens: 64, cache_write_tokens: 30 } },
      { input_tokens: 6, cache_read_input_tokens: 64, cache_creation_input_tokens: 30 },
    ],
    [
      { prompt_tokens_details: { cached_tokens: 900, cache_write_tokens: 30 } },
      { input_tokens: 0, cache_read_input_tokens: 100, cache_creation_input_tokens: 0 },
    ],
    [
      { prompt_tokens_details: { cached_tokens: -1, cache_write_tokens: 1.5 } },
      { input_tokens: 100, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    ],
    [
      { completion_tokens_details: { reasoning_tokens: 3 } },
      { output_tokens_details: { thinking_tokens: 3 } },
    ],
  ])('with %j is %j', ([details, told]) => {
    expect(rendered(reply({}, {}, { ...counts, ...details }))['usage']).toMatchObject(told)
  })
})
