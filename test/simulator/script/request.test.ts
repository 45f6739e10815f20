import { describe, expect, test } from 'vitest'
import type { Call } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { echoedPrompt, ignoredFields, scriptRequest } from '../../../src/simulator/script/request.ts'

const user = { role: 'user', content: 'say hi' }
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }
const clock = { type: 'function', function: { name: 'clock' } }

describe('what is asked in a text completion', () => {
  test.for([
    ['a string', { prompt: 'one two' }, 'one two', 2],
    ['token ids', { prompt: [1, 2, 3] }, '[3 tokens]', 3],
    ['nothing', {}, '', 0],
    ['null', { prompt: null }, '', 0],
  ] as const)('by %s', ([, body, prompt, promptTokens]) => {
    expect(scriptRequest(call('text', body))).toMatchObject({ kind: 'text', prompt, promptTokens })
  })
})

describe('what is asked in a chat', () => {
  test.for([
    [
      'the last user message',
      [user, { role: 'assistant', content: 'hi' }, { role: 'user', content: 'again' }],
      'again',
      4,
    ],
    ['the user message before a tool result', [user, { role: 'tool', content: 'sunny' }], 'say hi', 3],
    [
      'text parts',
      [
        {
          role: 'user',
          content: [{ type: 'text', text: 'a b' }, { type: 'image_url' }, { type: 'text', text: 'c' }],
        },
      ],
      'a b\nc',
      3,
    ],
    ['the last message when no user spoke', [{ role: 'system', content: 'be brief' }], 'be brief', 2],
    ['empty content', [{ role: 'user', content: null }], '', 0],
  ] as const)('is %s', ([, messages, prompt, promptTokens]) => {
    expect(scriptRequest(call('chat', { messages }))).toMatchObject({ kind: 'chat', prompt, promptTokens })
  })

  test.for([
    ['the first tool', { tools: [weather, clock] }, 'weather'],
    ['the tool chosen', { tools: [weather, clock], tool_choice: clock }, 'clock'],
    ['the first that is a function', { tools: [{ type: 'custom', custom: { name: 'x' } }, clock] }, 'clock'],
    ['no tool when none is to be used', { tools: [weather], tool_choice: 'none' }, undefined],
    ['no tool when there is none', { tools: [] }, undefined],
    [
      'no tool once its result is there',
      { tools: [weather], messages: [user, { role: 'tool', content: '' }] },
      undefined,
    ],
  ] as const)('may call %s', ([, body, name]) => {
    expect(scriptRequest(call('chat', { messages: [user], ...body })).tool?.name).toBe(name)
  })
})

describe('bounds', () => {
  test.for([
    [{ max_tokens: 5 }, 5],
    [{ max_tokens: 5, max_completion_tokens: 3 }, 3],
    [{ max_tokens: 0 }, 0],
    [{ max_tokens: null }, undefined],
    [{ max_tokens: -1 }, undefined],
    [{ max_tokens: 1.5 }, undefined],
  ] as const)('of %j are %s tokens', ([body, maxTokens]) => {
    expect(scriptRequest(call('text', body)).maxTokens).toBe(maxTokens)
  })

  test.for([
    [{ stop: 'a' }, ['a']],
    [{ stop: ['a', 'b'] }, ['a', 'b']],
    [{ stop: null }, []],
    [{}, []],
  ] as const)('of %j are the stop strings %j', ([body, stop]) => {
    expect(scriptRequest(call('text', body)).stop).toEqual(stop)
  })
})

test('a prompt is echoed when a text completion asks for it', () => {
  expect(echoedPrompt(call('text', { prompt: 'one', echo: true }))).toBe('one')
  expect(echoedPrompt(call('text', { prompt: 'one', echo: false }))).toBe('')
  expect(echoedPrompt(call('chat', { prompt: 'one', echo: true }))).toBe('')
})

test('fields that go unheeded are named, when they ask for anything', () => {
  const body = {
    modalities: ['text'],
    suffix: null,
    response_format: { type: 'json_object' },

    user: 'u',
  }
  expect(ignoredFields(call('text', body))).toEqual(['response_format'])
})

function call(kind: Kind, body: JsonObject): Call {
  return {
    id: `req_${'0'.repeat(32)}`,
    dialect: 'test',
    kind,
    model: 'sim-echo',
    stream: false,
    includeUsage: false,
    body: JsonText.of(body),
    credential: undefined,
    deadlineMs: undefined,
  }
}
