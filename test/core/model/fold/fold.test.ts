import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Delta } from '../../../../src/core/model/call.ts'
import { fold, unfold } from '../../../../src/core/model/fold/fold.ts'
import type { JsonObject } from '../../../../src/core/model/json/json.ts'
import { JsonText } from '../../../../src/core/model/json/json-text.ts'
import {
  chatLane,
  cutWhere,
  interleave,
  textLane,
  wholeReply,
} from '../../../harness/core/generated-chunks.ts'
import { wireText } from '../../../harness/core/json-text.ts'
import { start, withChoice } from '../../../harness/core/normalize.ts'
import { chatChunk, chatReply, rawDelta, textChunk, usage } from '../../../harness/scripted-upstream.ts'

const role = { role: 'assistant' }

describe('one whole reply folds into itself, including its wire text', () => {
  const whole = { id: 'a', index: 0, type: 'function', function: { name: 'f', arguments: '{}' } }
  test.for([
    chatReply({ content: 'Hi' }),
    chatReply({ content: '', tool_calls: [whole] }, 'tool_calls'),
    textChunk('Hi', 'stop'),
    { ...textChunk('Hi', 'stop'), usage: usage(1, 1), odd: null },
  ])('%j', (chunk) => {
    const delta = asDelta(chunk, 'wire text')
    expect(fold([delta])).toBe(delta)
    expect(delta).toEqual(asDelta(chunk, 'wire text'))
  })
})

test('nothing folds into nothing', () => {
  expect(fold([])).toBeUndefined()
})

describe('chunks fold into one reply', () => {
  const fragment = (index: number, change: JsonObject) => ({ index, ...change })
  type Case = readonly [string, readonly JsonObject[], JsonObject]
  const cases: readonly Case[] = [
    ['of text', [textChunk('H'), textChunk('i'), textChunk('', 'stop')], textChunk('Hi', 'stop')],
    ['of one chunk', [chatChunk({ ...role, content: 'Hi' }, 'stop')], chatReply({ content: 'Hi' })],
    ['of a bare end', [chatChunk(role, 'stop')], chatReply({ content: null })],
    [
      'of content',
      [
        chatChunk({ ...role, content: '' }),
        chatChunk({ content: 'H' }),
        chatChunk({ content: 'i' }),
        chatChunk({}, 'length'),
      ],
      chatReply({ content: 'Hi' }, 'length'),
    ],
    [
      'of reasoning and content',
      [
        chatChunk({ ...role, reasoning_content: 'H' }),
        chatChunk({ reasoning_content: 'm' }),
        chatChunk({ content: 'Hi' }, 'stop'),
      ],
      chatReply({ reasoning_content: 'Hm', content: 'Hi' }),
    ],
    [
      'of tool calls, in the order of their index',
      [
        chatChunk({ ...role, content: '' }),
        chatChunk({
          tool_calls: [fragment(1, { id: 'b', type: 'function', function: { name: 'g', arguments: '' } })],
        }),
        chatChunk({
          tool_calls: [
            fragment(0, { id: 'a', type: 'function', function: { name: 'f' } }),
            fragment(1, { function: { arguments: '[' } }),
          ],
        }),
        chatChunk({ tool_calls: [fragment(0, { function: { arguments: '{}' } })] }),
        chatChunk({ tool_calls: [fragment(1, { function: { arguments: ']' } })] }, 'tool_calls'),
      ],
      chatReply(
        {
          content: null,
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
            { id: 'b', type: 'function', function: { name: 'g', arguments: '[]' } },
          ],
        },
        'tool_calls',
      ),
    ],
    [
      'of a tool call without arguments',
      [
        chatChunk({
          ...role,
          tool_calls: [fragment(0, { id: 'a', type: 'function', function: { name: 'f' } })],
        }),
        chatChunk({}, 'tool_calls'),
      ],
      chatReply(
        { tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        'tool_calls',
      ),
    ],
    [
      'of text that ends in nulls',
      [chatChunk({ ...role, content: 'Hi' }), chatChunk({ content: null, refusal: null }, 'stop')],
      chatReply({ content: 'Hi' }),
    ],
    [
      'of a tool call with unknown fields',
      [
        chatChunk({ ...role, tool_calls: [{ index: 0, id: 'a', type: 'function', odd: 1 }] }),
        chatChunk({ tool_calls: [{ index: 0, function: { arguments: '{}', sign: 's', deep: { a: 1 } } }] }),
        chatChunk({ tool_calls: [{ index: 0 }] }),
        chatChunk({ tool_calls: [{ index: 0, function: { sign: 't', deep: { a: 2 } } }] }, 'tool_calls'),
      ],
      chatReply(
        {
          tool_calls: [
            {
              id: 'a',
              type: 'function',
              odd: 1,
              function: { name: '', arguments: '{}', sign: 'st', deep: { a: 2 } },
            },
          ],
        },
        'tool_calls',
      ),
    ],
    [
      'of a refusal',
      [chatChunk({ ...role, refusal: 'I ' }), chatChunk({ refusal: 'must not.' }, 'stop')],
      chatReply({ content: null, refusal: 'I must not.' }),
    ],
    [
      'of unknown fields, the latest value of each',
      [
        {
          ...withChoice(chatChunk({ ...role, odd: { a: 1 } }), { note: 'x' }),
          fingerprint: null,
          tier: 'low',
        },
        { ...chatChunk({ content: 'Hi', odd: { a: 2 } }), fingerprint: 'fp', tier: null },
        withChoice(chatChunk({}, 'stop'), { note: 'y' }),
      ],
      {
        ...withChoice(chatReply({ content: 'Hi', odd: { a: 2 } }), { note: 'y' }),
        fingerprint: 'fp',
        tier: 'low',
      },
    ],
    [
      'of choices, in the order of their index',
      [textChunk('b', null, 1), textChunk('a', 'stop'), textChunk('B', 'length', 1)],
      {
        ...textChunk(''),
        choices: [
          { index: 0, text: 'a', finish_reason: 'stop' },
          { index: 1, text: 'bB', finish_reason: 'length' },
        ],
      },
    ],
    [
      'of log probabilities, one after the other',
      [
        withChoice(textChunk('a'), { logprobs: { tokens: ['a'], text_offset: [0], top_logprobs: null } }),
        withChoice(textChunk('b'), { logprobs: null }),
        withChoice(textChunk('c', 'stop'), {
          logprobs: { tokens: ['c'], text_offset: [2], top_logprobs: [{ c: 0 }] },
        }),
      ],
      withChoice(textChunk('abc', 'stop'), {
        logprobs: { tokens: ['a', 'c'], text_offset: [0, 2], top_logprobs: [{ c: 0 }] },
      }),
    ],
    [
      'of log probabilities that end in nulls',
      [
        withChoice(textChunk('a'), { logprobs: { tokens: ['a'], top_logprobs: [{ a: 0 }] } }),
        withChoice(textChunk('b', 'stop'), { logprobs: { tokens: ['b'], top_logprobs: null } }),
      ],
      withChoice(textChunk('ab', 'stop'), { logprobs: { tokens: ['a', 'b'], top_logprobs: [{ a: 0 }] } }),
    ],
    [
      'of whole replies, one choice each',
      [
        {
          ...chatReply({ content: 'b' }),
          choices: [{ index: 1, message: { ...role, content: 'b' }, finish_reason: 'stop' }],
        },
        chatReply({ content: 'a' }, 'length'),
      ],
      {
        ...chatReply({}),
        choices: [
          { index: 0, message: { ...role, content: 'a' }, finish_reason: 'length' },
          { index: 1, message: { ...role, content: 'b' }, finish_reason: 'stop' },
        ],
      },
    ],
  ]
  test.for(cases)('%s', ([, chunks, reply]) => {
    const deltas = chunks.map((chunk) => asDelta(chunk, 'wire text'))
    expect(fold(deltas)).toEqual(JsonText.of(reply))
    expect(deltas).toEqual(chunks.map((chunk) => asDelta(chunk, 'wire text')))
  })
})

describe('no interleaving of choices changes the reply', () => {
  test.for([
    ['chat', chatLane],
    ['text', textLane],
  ] as const)('of a %s', ([, lane]) => {
    const lanes = fc
      .integer({ min: 1, max: 4 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => lane(index))))
    fc.assert(
      fc.property(lanes, fc.infiniteStream(fc.nat()), (chunks, picks) => {
        const inTurn = fold(chunks.flat().map((chunk) => asDelta(chunk)))
        const mixed = interleave(chunks, picks).map((chunk) => asDelta(chunk))
        expect(fold(mixed)).toEqual(inTurn)
      }),
    )
  })
})

describe('a whole reply as chunks', () => {
  test('folds into itself', () => {
    fc.assert(
      fc.property(wholeReply(), (reply) => {
        expect(fold(unfold(asDelta(reply)))).toEqual(asDelta(reply))
      }),
      { numRuns: 500 },
    )
  })

  test('is a well-formed stream', () => {
    fc.assert(
      fc.property(wholeReply(), (reply) => {
        const normalizer = start('chat', true)
        const chunks = unfold(asDelta({ ...reply, usage: null })).map(({ value: chunk }) => rawDelta(chunk))
        const deltas = normalizer.accept(chunks)
        normalizer.finish()
        expect(deltas.map(({ text }) => text)).toEqual(chunks.map(({ text }) => text))
      }),
      { numRuns: 500 },
    )
  })

  test('contains for each choice its role, reasoning, text, tool calls and end', () => {
    const tools = ['f', 'g'].map((name) => ({
      id: name,
      type: 'function',
      function: { name, arguments: '{}' },
    }))
    const reply = chatReply({ content: 'Hi', reasoning_content: 'Hm', tool_calls: tools }, 'tool_calls')
    expect(unfold(asDelta(reply)).map(({ value: chunk }) => chunk)).toEqual([
      chatChunk({ ...role, content: '' }),
      chatChunk({ reasoning_content: 'Hm' }),
      chatChunk({ content: 'Hi' }),
      chatChunk({ tool_calls: [{ ...tools[0], index: 0 }] }),
      chatChunk({ tool_calls: [{ ...tools[1], index: 1 }] }),
      chatChunk({}, 'tool_calls'),
    ])
  })

  test('contains nothing that the reply lacks', () => {
    const tool = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    const reply = chatReply({ content: null, tool_calls: [tool] }, 'tool_calls')
    expect(unfold(asDelta(reply)).map(({ value: chunk }) => chunk)).toEqual([
      chatChunk({ ...role, content: null }),
      chatChunk({ tool_calls: [{ ...tool, index: 0 }] }),
      chatChunk({}, 'tool_calls'),
    ])
  })

  test.for([chatChunk({ ...role, content: 'Hi' }, 'stop'), textChunk('Hi', 'stop')])(
    'leaves what is one alone: %j',
    (chunk) => {
      const delta = asDelta(chunk, 'wire text')
      expect(unfold(delta)).toEqual([delta])
    },
  )
})

test('the split of a stream into bursts does not change the folded reply', () => {
  const stream = fc.tuple(chatLane(0), chatLane(1)).map((lanes) => lanes.flat())
  fc.assert(
    fc.property(stream, fc.array(fc.boolean()), (chunks, cuts) => {
      const whole = foldedFrom([chunks])
      expect(foldedFrom(cutWhere(chunks, cuts))).toEqual(whole)
      expect(foldedFrom(chunks.map((chunk) => [chunk]))).toEqual(whole)
    }),
  )
})

function foldedFrom(bursts: readonly (readonly JsonObject[])[]): Delta | undefined {
  const normalizer = start('chat', true)
  const deltas = bursts.flatMap((burst) => normalizer.accept(burst.map(rawDelta)))
  normalizer.finish()
  return fold(deltas)
}

function asDelta(chunk: JsonObject, source?: string): Delta {
  return wireText(structuredClone(chunk), source) as unknown as Delta
}
