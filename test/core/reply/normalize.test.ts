import { describe, expect, test } from 'vitest'
import type { Delta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { isVisible } from '../../../src/core/model/visible.ts'
import { role, start, tool, withChoice } from '../../harness/core/normalize.ts'
import {
  chatChunk,
  chatReply,
  rawDelta,
  textChunk,
  usage,
  usageChunk,
} from '../../harness/scripted-upstream.ts'

describe('usage in a stream', () => {
  test('on every chunk is removed, and the last one counts', () => {
    const normalizer = start('chat', true)
    const deltas = normalizer.accept(
      [
        { ...chatChunk({ ...role, content: 'a' }), usage: usage(5, 1) },
        { ...chatChunk({ content: 'b' }), usage: null },
        { ...chatChunk({ content: 'c' }, 'stop'), usage: usage(5, 3) },
      ].map(rawDelta),
    )
    expect(deltas.map(({ value: chunk }) => chunk.usage)).toEqual([null, null, null])
    expect(deltas.map(({ isWritten }) => isWritten)).toEqual([false, true, false])
    expect(normalizer.usage()).toMatchObject({ promptTokens: 5, completionTokens: 3 })
  })

  test('alone in a chunk after the end makes no delta', () => {
    const normalizer = start('chat', true)
    normalizer.accept([rawDelta({ ...chatChunk(role, 'stop'), usage: usage(0, 0) })])
    expect(normalizer.accept([rawDelta(usageChunk(5, 9))])).toEqual([])
    expect(normalizer.accept([rawDelta({ ...chatChunk({}), usage: usage(5, 10) })])).toEqual([])
    normalizer.finish()
    expect(normalizer.usage()).toMatchObject({ promptTokens: 5, completionTokens: 10 })
  })

  test('that is not an object keeps the one before', () => {
    const normalizer = start('chat', true)
    normalizer.accept([rawDelta(usageChunk(5, 9)), rawDelta({ choices: [], usage: 'many' })])
    expect(normalizer.usage()).toMatchObject({ promptTokens: 5, completionTokens: 9 })
  })

  test('that is never reported is undefined', () => {
    const normalizer = start('chat', true)
    normalizer.accept([rawDelta(chatChunk(role, 'stop'))])
    expect(normalizer.usage()).toBeUndefined()
  })

  test('out of bounds is flagged', () => {
    const flags = new Set<string>()
    start('chat', true, flags).accept([rawDelta(usageChunk(-5, 9))])
    expect([...flags]).toEqual(['usage_clamped'])
  })
})

describe('a failed answer', () => {
  const errors = [{ message: 'overloaded', code: 503 }, 'broken', {}, 1]
  test.for(errors)('an error of %j is a failure, whose message is not shown to the caller', (error) => {
    const normalizer = start('chat', true)
    expect(() => normalizer.accept([rawDelta({ ...chatChunk(role, 'stop'), error })])).toThrow(
      expect.objectContaining({
        kind: 'upstream_error',
        message: expect.not.stringMatching(/overloaded|broken/),
        cause: error,
      }),
    )
  })

  const unfinished: readonly (readonly [string, Kind, readonly JsonObject[]])[] = [
    ['nothing at all', 'chat', []],
    ['no choices', 'chat', [{ choices: [] }, {}]],
    ['usage alone', 'chat', [usageChunk(1, 1)]],
    ['a stream without an end', 'chat', [chatChunk({ ...role, content: 'Hi' })]],
    ['an empty word for an end', 'chat', [chatChunk({ ...role, content: 'Hi' }, '')]],
    [
      'one choice of two without an end',
      'chat',
      [chatChunk(role, 'stop'), chatChunk({ ...role, content: 'b' }, null, 1)],
    ],
    ['a text without an end', 'text', [textChunk('Hi')]],
    ['a whole reply without an end', 'chat', [chatReply({ content: 'Hi' }, null)]],
  ]
  test.for(unfinished)('%s is interrupted', ([, kind, chunks]) => {
    const normalizer = start(kind, true)
    normalizer.accept(chunks.map(rawDelta))
    expect(() => normalizer.finish()).toThrow(expect.objectContaining({ kind: 'interrupted' }))
  })

  test.for([
    [[chatReply({ content: 'Hi' }, null)], ': it gave no finish_reason.'],
    [[chatChunk({ ...role, content: 'Hi' })], ': it gave no finish_reason.'],
    [[], '.'],
  ] as const)('%j: the failure says that only the end is missing', ([chunks, why]) => {
    const normalizer = start('chat', true)
    normalizer.accept(chunks.map(rawDelta))
    expect(() => normalizer.finish()).toThrow(`The upstream ended the answer before it was complete${why}`)
  })

  test('a finish reason that means the upstream gave up is interrupted at once', () => {
    const normalizer = start('chat', true)
    expect(() => normalizer.accept([rawDelta(chatChunk({ ...role, content: 'Hi' }, 'abort'))])).toThrow(
      expect.objectContaining({ kind: 'interrupted' }),
    )
  })
})

describe('a delta is visible to the caller', () => {
  const noticed: readonly (readonly [string, boolean, JsonObject])[] = [
    ['a bare role', false, chatChunk(role)],
    ['an empty text', false, chatChunk({ ...role, content: '' })],
    [
      'nulls',
      false,
      chatChunk({ content: null, refusal: null, function_call: null, reasoning_content: null }),
    ],
    ['content', true, chatChunk({ content: ' ' })],
    ['reasoning', true, chatChunk({ reasoning_content: 'Hm' })],
    ['a refusal', true, chatChunk({ refusal: 'No.' })],
    ['a tool call', true, chatChunk({ tool_calls: [tool] })],
    ['a function call', true, chatChunk({ function_call: { name: 'f', arguments: '' } })],
    ['an end', true, chatChunk({}, 'stop')],
    ['no text', false, textChunk('')],
    ['text', true, textChunk(' ')],
    ['the end of a text', true, textChunk('', 'stop')],
    ['a whole message', true, chatReply({ content: 'Hi' }, null)],
    ['an empty message', false, chatReply({ content: '' }, null)],
    // Some upstreams send the text of a chat twice, and leave this one empty for everything else.
    ['content beside an empty text', true, withChoice(chatChunk({ content: 'Hi' }), { text: '' })],
    ['a tool call with an empty text', true, withChoice(chatChunk({ tool_calls: [tool] }), { text: '' })],
    ['only a role with an empty text', false, withChoice(chatChunk(role), { text: '' })],
    [
      'one choice of two',
      true,
      {
        ...chatChunk({}),
        choices: [
          { delta: {}, finish_reason: null },
          { delta: { content: 'b' }, finish_reason: null },
        ],
      },
    ],
  ]
  test.for(noticed)('%s: %o', ([, visible, chunk]) => {
    expect(isVisible(JsonText.of(chunk) as unknown as Delta)).toBe(visible)
  })
})
