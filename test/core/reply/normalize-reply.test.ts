import { describe, expect, test } from 'vitest'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import {
  type Case,
  expectNormalized,
  role,
  same,
  start,
  turns,
  withChoice,
} from '../../harness/core/normalize.ts'
import { chatReply, rawDelta, textChunk, usage } from '../../harness/scripted-upstream.ts'

describe('a whole reply', () => {
  const asked = { ...chatReply({ content: 'Hi' }), usage: usage(3, 4) }
  const whole = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
  const text = { ...textChunk('Hi', 'stop'), usage: usage(3, 4) }
  const cases: readonly (readonly [string, Kind, Case])[] = [
    ['of a chat that is neat', 'chat', same(asked)],
    ['of a text that is neat', 'text', same(text)],
    [
      'of a text with several choices',
      'text',
      same({
        ...text,
        choices: [0, 1].map((index) => ({ index, text: 'a', logprobs: null, finish_reason: 'stop' })),
      }),
    ],
    [
      'with unknown fields',
      'chat',
      same({
        ...chatReply({ content: 'Hi', refusal: null, annotations: [] }),
        metadata: { a: 1 },
        prompt: [],
      }),
    ],
    ['with neat tool calls', 'chat', same(chatReply({ tool_calls: [whole] }, 'tool_calls'))],
    [
      'with tool calls, and little else',
      'chat',
      turns(
        [
          {
            ...asked,
            choices: [
              {
                message: { tool_calls: [{ function: { name: 'f', arguments: {} } }, null] },
                finish_reason: 'stop',
              },
            ],
          },
        ],
        [
          {
            ...asked,
            choices: [
              {
                message: {
                  tool_calls: [
                    { function: { name: 'f', arguments: '{}' }, id: 'call_chatcmpl-own0', type: 'function' },
                  ],
                  ...role,
                  content: null,
                },
                finish_reason: 'tool_calls',
                index: 0,
              },
            ],
          },
        ],
      ),
    ],
    [
      'with duplicate empty tool calls',
      'chat',
      turns([chatReply({ content: 'Hi', tool_calls: null })], [chatReply({ content: 'Hi' })]),
    ],
    [
      'with invalid tool calls',
      'chat',
      turns([chatReply({ content: 'Hi', tool_calls: 'f' })], [chatReply({ content: 'Hi' })]),
    ],
    ['with an empty list of tool calls', 'chat', same(chatReply({ content: 'Hi', tool_calls: [] }))],
    ['with reasoning and content', 'chat', same(chatReply({ content: 'Hi', reasoning_content: 'Hm' }))],
    [
      'that calls reasoning `reasoning`',
      'chat',
      turns(
        [chatReply({ content: 'Hi', reasoning: 'Hm' })],
        [chatReply({ content: 'Hi', reasoning_content: 'Hm' })],
      ),
    ],
    [
      'with content in parts',
      'chat',
      turns([chatReply({ content: [{ type: 'text', text: 'Hi' }] })], [chatReply({ content: 'Hi' })]),
    ],
    [
      'of another role',
      'chat',
      turns([chatReply({ content: 'Hi', role: 'bot' })], [chatReply({ content: 'Hi' })]),
    ],
    [
      'that ends for reasons of its own',
      'text',
      turns([textChunk('Hi', 'max_tokens')], [textChunk('Hi', 'length')]),
    ],
    [
      'without a text',
      'text',
      turns(
        [{ ...text, choices: [{ index: 0, finish_reason: 'stop' }] }],
        [{ ...text, choices: [{ index: 0, finish_reason: 'stop', text: '' }] }],
      ),
    ],
    [
      'with a delta besides',
      'chat',
      turns(
        [withChoice(chatReply({ content: 'Hi' }), { delta: { content: 'Hi' } })],
        [chatReply({ content: 'Hi' })],
      ),
    ],
    [
      'that is sent twice',
      'chat',
      {
        ...turns(
          [chatReply({ content: 'Hi' }), chatReply({ content: 'more' })],
          [chatReply({ content: 'Hi' })],
        ),
        flags: ['text_after_finish'],
      },
    ],
  ]
  test.for(cases)('%s', ([, kind, expected]) => {
    expectNormalized(kind, false, expected)
  })

  test('keeps its usage, which is also reported separately', () => {
    const normalizer = start('chat', false)
    const [delta] = normalizer.accept([rawDelta(asked)])
    expect(delta?.value.usage).toEqual(usage(3, 4))
    expect(normalizer.usage()).toMatchObject({ promptTokens: 3, completionTokens: 4 })
  })

  test('may arrive inside a stream, and loses its usage there', () => {
    const normalizer = start('chat', true)
    const [delta] = normalizer.accept([rawDelta(asked)])
    expect(delta).toEqual(JsonText.of({ ...asked, usage: null }))
    expect(normalizer.usage()).toMatchObject({ promptTokens: 3, completionTokens: 4 })
  })
})
