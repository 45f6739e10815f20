import { describe, expect, test } from 'vitest'
import { createMeter } from '../../../src/core/account/meter.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { TokenCounter } from '../../../src/core/model/ports.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { type ClaimedUsage, readUsage } from '../../../src/core/model/usage/usage.ts'
import { withChoice } from '../../harness/core/normalize.ts'
import { aCall, chatChunk, chatReply, textChunk, usage } from '../../harness/scripted-upstream.ts'

describe('reported usage is not counted again', () => {
  test('and is returned as reported', async () => {
    const { counter, counted } = wordCounter()
    const claimed = { ...usage(3, 4), prompt_tokens_details: { cached_tokens: 1 } }
    const meter = createMeter(aCall(), counter)
    meter.note([asDelta(textChunk('one two'))])
    expect(await meter.settle(claim(claimed))).toEqual({ usage: claimed, estimated: false })
    expect(counted).toEqual([])
  })

  test.for([
    [{ prompt_tokens: 9 }, usage(9, 2), ['one two']],
    [{ completion_tokens: 9 }, usage(3, 9), ['a b c']],
    [
      { prompt_tokens: 9, completion_tokens: 'x', cached_tokens: 7 },
      { ...usage(9, 2), cached_tokens: 7, prompt_tokens_details: { cached_tokens: 7 } },
      ['one two'],
    ],
    [undefined, usage(3, 2), ['a b c', 'one two']],
    [{}, usage(3, 2), ['a b c', 'one two']],
    [{ total_tokens: 100 }, usage(3, 2), ['a b c', 'one two']],
  ] as const)(
    'but counts missing from %j are, and marked as estimated',
    async ([claimed, expected, texts]) => {
      const { counter, counted } = wordCounter()
      const meter = createMeter(aCall({ body: { prompt: 'a b c' } }), counter)
      meter.note([asDelta(textChunk('one ')), asDelta(textChunk('two', 'stop'))])
      expect(await meter.settle(claimed && claim(claimed))).toEqual({ usage: expected, estimated: true })
      expect(counted).toEqual(texts)
    },
  )
})

test('an answer that broke off has at least one token for each of its pieces', () => {
  const { counter } = wordCounter()
  const meter = createMeter(aCall({ body: { prompt: 'a' } }), counter)
  for (let pieces = 0; pieces < 50; pieces++) meter.note([asDelta(textChunk('w '))])
  meter.note([asDelta(textChunk(''))])
  expect(meter.estimate().usage.completion_tokens).toBe(50)
})

test('the count of a long answer is scaled up from its beginning', async () => {
  const { counter, counted } = wordCounter()
  const meter = createMeter(aCall({ body: { prompt: 'a' } }), counter)
  const piece = asDelta(textChunk('word '.repeat(1024)))
  for (let pieces = 0; pieces < 1024; pieces++) meter.note([piece])
  const words = 1024 * 1024
  const { usage: estimate } = meter.estimate()
  const { usage: settled } = await meter.settle(undefined)
  const [, kept = ''] = counted
  expect(kept.length).toBeLessThan(300_000)
  expect(Math.abs(settled.completion_tokens - words)).toBeLessThan(10)
  expect(estimate.completion_tokens).toBeGreaterThan(words / 2)
})

test('any text counts as at least one token', () => {
  const { counter } = wordCounter()
  const meter = createMeter(aCall({ body: { prompt: 'a' } }), counter)
  meter.note([asDelta(textChunk('b'))])
  expect(meter.estimate()).toEqual({ usage: usage(1, 1), estimated: true })
})

describe('the counted text of an answer', () => {
  const called = { name: 'weather ', arguments: '{"city":"Rome"}' }
  const cases: readonly (readonly [string, readonly JsonObject[], string])[] = [
    ['of a text', [textChunk('one '), textChunk('two', 'stop')], 'one two'],
    [
      'of several choices',
      [textChunk('one '), textChunk('two ', 'stop', 1), textChunk('three', 'stop')],
      'one two three',
    ],
    [
      'of a chat',
      [chatChunk({ role: 'assistant', content: 'one ' }), chatChunk({ content: 'two' }, 'stop')],
      'one two',
    ],
    [
      'with reasoning',
      [chatChunk({ reasoning_content: 'Hm ' }), chatChunk({ content: 'Hi' }, 'stop')],
      'Hm Hi',
    ],
    [
      'with tool calls',
      [chatChunk({ tool_calls: [{ index: 0, function: called }] })],
      'weather {"city":"Rome"}',
    ],
    [
      'of a whole reply',
      [chatReply({ content: 'Hi ', tool_calls: [{ id: 'a', function: called }] })],
      'Hi weather {"city":"Rome"}',
    ],
    ['of a refusal', [chatReply({ refusal: 'I must not.' })], 'I must not.'],
    ['of a function call', [chatChunk({ function_call: called })], 'weather {"city":"Rome"}'],
    [
      'with nulls',
      [chatChunk({ content: null, reasoning_content: null, refusal: null, function_call: null })],
      '',
    ],
    ['with nothing called', [chatChunk({ tool_calls: [{ index: 0, type: 'function' }] })], ''],
    // Some upstreams spell the text of a chat twice.
    ['said twice', [withChoice(chatChunk({ content: 'Hi' }), { text: 'Hi' })], 'Hi'],
    [
      'of tool calls with an empty text',
      [withChoice(chatChunk({ tool_calls: [{ index: 0, function: called }] }), { text: '' })],
      'weather {"city":"Rome"}',
    ],
  ]
  test.for(cases)('%s', async ([, chunks, words]) => {
    const { counter, counted } = wordCounter()
    const meter = createMeter(aCall(), counter)
    for (const chunk of chunks) meter.note([asDelta(chunk)])
    await meter.settle(claim({ prompt_tokens: 1 }))
    expect(counted).toEqual([words])
  })
})

test('a word given beside its chunk is counted once', async () => {
  const { counter, counted } = wordCounter()
  const meter = createMeter(aCall(), counter)
  meter.note([asDelta(textChunk('one ')), Object.assign(asDelta(textChunk('two ')), { word: 'two ' })])
  meter.note([asDelta(textChunk('three', 'stop'))])
  await meter.settle(claim({ prompt_tokens: 1 }))
  expect(counted).toEqual(['one two three'])
})

describe('the counted text of a prompt', () => {
  const cases: readonly (readonly [string, Kind, JsonObject, string])[] = [
    ['a string', 'text', { prompt: 'a b' }, 'a b'],
    ['none', 'text', {}, ''],
    ['several', 'text', { prompt: ['a ', 'b'] }, 'a b'],
    ['token ids, one word each', 'text', { prompt: [15, 2031, 99] }, ' a a a'],
    ['lists of token ids', 'text', { prompt: [[1, 2], [3]] }, ' a a a'],
    [
      'messages',
      'chat',
      {
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi.' },
        ],
      },
      'Be kind.\nHi.',
    ],
    [
      'content in parts',
      'chat',
      {
        messages: [
          {
            content: [
              { type: 'text', text: 'a ' },
              { type: 'image_url', image_url: {} },
              { type: 'text', text: 'b' },
            ],
          },
        ],
      },
      'a b',
    ],
    [
      'a message without content',
      'chat',
      { messages: [{ role: 'assistant', content: null }, { content: 'b' }] },
      '\nb',
    ],
    ['no messages', 'chat', {}, ''],
  ]
  test.for(cases)('%s', async ([, kind, body, words]) => {
    const { counter, counted } = wordCounter()
    await createMeter(aCall({ kind, body }), counter).settle(claim({ completion_tokens: 1 }))
    expect(counted).toEqual([words])
  })
})

function wordCounter() {
  const counted: string[] = []
  const counter: TokenCounter = {
    count: async (text) => {
      counted.push(text)
      return text.split(/\s+/).filter((word) => word !== '').length
    },
  }
  return { counter, counted }
}

function claim(value: JsonObject): ClaimedUsage | undefined {
  return readUsage(value, new Set())
}

function asDelta(chunk: JsonObject): Delta {
  return JsonText.of(chunk) as unknown as Delta
}
