import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { createNormalizer } from '../../../src/core/reply/normalize.ts'
import {
  type Case,
  expectNormalized,
  role,
  same,
  start,
  tool,
  turns,
  withChoice,
} from '../../harness/core/normalize.ts'
import { chatChunk, rawDelta, textChunk } from '../../harness/scripted-upstream.ts'

const thinking = (text: string) => ({ type: 'thinking', thinking: [{ type: 'text', text }] })
const text = (words: string) => ({ type: 'text', text: words })

describe('a chat stream of an unusual upstream', () => {
  const cases: readonly (readonly [string, Case])[] = [
    [
      'that thinks in parts of its content, as Mistral does',
      turns(
        [
          chatChunk({ ...role, content: '' }),
          chatChunk({ content: [thinking('Hm')] }),
          chatChunk({ content: [{ type: 'thinking', thinking: 'm' }, text('Four')] }),
          chatChunk({ content: '.' }, 'stop'),
        ],
        [
          chatChunk({ ...role, content: '' }),
          chatChunk({ content: '', reasoning_content: 'Hm' }),
          chatChunk({ reasoning_content: 'm' }),
          chatChunk({ content: 'Four' }),
          chatChunk({ content: '.' }, 'stop'),
        ],
      ),
    ],
    [
      'whose chunks carry a delta and all of the message so far, as Perplexity’s do',
      turns(
        [
          withMessage(chatChunk({ ...role, content: 'One' }), 'One'),
          withMessage(chatChunk({ content: ' two' }), 'One two'),
          withMessage(chatChunk({ content: '' }, 'stop'), 'One two'),
        ],
        [
          chatChunk({ ...role, content: 'One' }),
          chatChunk({ content: ' two' }),
          chatChunk({ content: '' }, 'stop'),
        ],
      ),
    ],
    [
      'whose chunks have the whole message so far, and no delta',
      turns(
        [piece('One'), piece('One two'), piece('One two'), piece('One two three', 'stop')],
        [
          chatChunk({ ...role, content: 'One' }),
          chatChunk({ content: ' two' }),
          chatChunk({}),
          chatChunk({ content: ' three' }, 'stop'),
        ],
      ),
    ],
    [
      'that repeats the whole message at its end',
      turns(
        [
          chatChunk({ ...role, content: 'One' }),
          chatChunk({ content: ' two' }),
          withMessage(chatChunk({}, 'stop'), 'One two'),
        ],
        [chatChunk({ ...role, content: 'One' }), chatChunk({ content: ' two' }), chatChunk({}, 'stop')],
      ),
    ],
    [
      'that ends in a message which is not what it said',
      turns(
        [chatChunk({ ...role, content: 'One' }), withMessage(chatChunk({}, 'stop'), 'Two and more')],
        [chatChunk({ ...role, content: 'One' }), chatChunk({}, 'stop')],
      ),
    ],
    [
      'whose calls have no arguments',
      turns(
        [
          chatChunk({ ...role, tool_calls: [tool] }),
          chatChunk({ tool_calls: [{ ...tool, index: 1, id: 'b', function: { name: 'g' } }] }),
          chatChunk({}, 'tool_calls'),
        ],
        [
          chatChunk({ ...role, tool_calls: [tool] }),
          chatChunk({ tool_calls: [{ ...tool, index: 1, id: 'b', function: { name: 'g' } }] }),
          chatChunk(
            {
              tool_calls: [
                { index: 0, function: { arguments: '{}' } },
                { index: 1, function: { arguments: '{}' } },
              ],
            },
            'tool_calls',
          ),
        ],
      ),
    ],
    [
      'that is cut off before the arguments of a call',
      same(chatChunk({ ...role, tool_calls: [tool] }), chatChunk({}, 'length')),
    ],
    [
      'with an empty call in the legacy form beside the tool calls',
      turns(
        [
          chatChunk({ ...role, tool_calls: [tool], function_call: { name: '', arguments: '' } }),
          chatChunk({}, 'length'),
        ],
        [chatChunk({ ...role, tool_calls: [tool] }), chatChunk({}, 'length')],
      ),
    ],
    [
      'whose logprobs are a bare number, as Together’s are',
      turns(
        [
          withChoice(chatChunk({ ...role, content: 'Hi' }), { logprobs: -0.25 }),
          withChoice(chatChunk({ content: 'é' }, 'stop'), { logprobs: -0.5, top_logprobs: { é: -0.5 } }),
        ],
        [
          withChoice(chatChunk({ ...role, content: 'Hi' }), { logprobs: scored('Hi', -0.25, [72, 105]) }),
          withChoice(chatChunk({ content: 'é' }, 'stop'), {
            logprobs: scored('é', -0.5, [195, 169], [{ token: 'é', logprob: -0.5, bytes: [195, 169] }]),
            top_logprobs: { é: -0.5 },
          }),
        ],
      ),
    ],
    [
      'whose logprobs are OpenAI’s',
      same(withChoice(chatChunk({ ...role, content: 'Hi' }, 'stop'), { logprobs: scored('Hi', -1, null) })),
    ],
  ]
  test.for(cases)('%s', ([, expected]) => {
    expectNormalized('chat', true, expected)
  })

  function withMessage(chunk: JsonObject, content: string): JsonObject {
    return withChoice(chunk, { message: { ...role, content } })
  }

  function piece(content: string, reason: string | null = null): JsonObject {
    const choice = { index: 0, message: { ...role, content }, finish_reason: reason }
    return { ...chatChunk({}), choices: [choice] }
  }
})

test('content beside a repeated end is kept', () => {
  const normalizer = start('chat', true)
  const deltas = [
    chatChunk({ ...role, content: 'Hi' }, 'stop'),
    { ...chatChunk({}, 'stop'), citations: ['a'], service_tier: 'default' },
  ].flatMap((chunk) => normalizer.accept([rawDelta(chunk)]))
  expect(deltas.map(({ value: chunk }) => chunk)).toMatchObject([
    { choices: [{ delta: { content: 'Hi' } }] },
    { choices: [], citations: ['a'], service_tier: 'default' },
  ])
})

test('reasoning keeps its own name beside the usual one if the upstream uses it', () => {
  const normalizer = createNormalizer({
    ...{ kind: 'chat', stream: true, id: 'c', createdEpochSeconds: 1, model: 'm', flags: new Set() },
    keepsReasoning: true,
  })
  const deltas = [
    chatChunk({ ...role, content: '', reasoning: 'H' }),
    chatChunk({ content: 'Four', reasoning: 'm' }, 'stop'),
  ].flatMap((chunk) => normalizer.accept([rawDelta(chunk)]))
  expect(deltas.map(({ value: chunk }) => chunk.choices[0]?.delta)).toEqual([
    { ...role, content: '', reasoning: 'H', reasoning_content: 'H' },
    { reasoning: 'm', reasoning_content: 'm' },
    { content: 'Four' },
  ])
})

describe('a whole reply of an unusual upstream', () => {
  const whole = (message: JsonObject, reason = 'stop', extra: JsonObject = {}): JsonObject => ({
    ...chatChunk({}),
    object: 'chat.completion',
    choices: [{ index: 0, message: { ...role, ...message }, finish_reason: reason, ...extra }],
  })
  const call = (args: unknown) => ({ id: 'a', type: 'function', function: { name: 'f', arguments: args } })
  const cases: readonly (readonly [string, Case])[] = [
    [
      'that thinks in parts of its content',
      turns(
        [whole({ content: [{ ...thinking('Hmm.'), closed: true }, text('Four.')] })],
        [whole({ content: 'Four.', reasoning_content: 'Hmm.' })],
      ),
    ],
    [
      'whose call has no arguments',
      turns(
        [whole({ content: null, tool_calls: [call('')] }, 'tool_calls')],
        [whole({ content: null, tool_calls: [call('{}')] }, 'tool_calls')],
      ),
    ],
    [
      'that is cut off before the arguments of a call',
      same(whole({ content: null, tool_calls: [call('')] }, 'length')),
    ],
    [
      'with logprobs as texts have them',
      turns(
        [
          whole({ content: 'Hi there' }, 'stop', {
            logprobs: { tokens: ['Hi'], token_logprobs: [-0.25], token_ids: [5] },
          }),
        ],
        [whole({ content: 'Hi there' }, 'stop', { logprobs: scored('Hi', -0.25, [72, 105]) })],
      ),
    ],
  ]
  test.for(cases)('%s', ([, expected]) => {
    expectNormalized('chat', false, expected)
  })
})

test('logprobs of a text in the chat format become the text format, with offsets', () => {
  const given = ['Hi', ' you'].map((words) =>
    withChoice(textChunk(words), {
      logprobs: { content: [{ token: words, logprob: -1, bytes: null, top_logprobs: [] }] },
    }),
  )
  const normalizer = start('text', true)
  const told = given.flatMap((chunk) => normalizer.accept([rawDelta(chunk)]))
  expect(told.map(({ value: chunk }) => chunk.choices[0]?.logprobs)).toEqual([
    { tokens: ['Hi'], token_logprobs: [-1], top_logprobs: [{}], text_offset: [0] },
    { tokens: [' you'], token_logprobs: [-1], top_logprobs: [{}], text_offset: [2] },
  ])
})

function scored(
  token: string,
  logprob: number,
  bytes: readonly number[] | null,
  top: readonly object[] = [],
) {
  return { content: [{ token, logprob, bytes, top_logprobs: top }], refusal: null }
}
