import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import {
  type Adaptation,
  booleanLogprobsToInteger,
  developerToSystem,
  inTurn,
  messageFieldsLeftOut,
  stopToList,
  streamOptionsLeftOut,
  wholeTopPLeftOut,
} from '../../../src/providers/openai/adaptations.ts'
import { startAttempt } from '../../harness/core/attempt.ts'

type Change = { readonly from: JsonObject; readonly to: JsonObject; readonly told?: object }

type Row = {
  readonly name: string
  readonly adapt: Adaptation
  readonly changes: readonly Change[]
  readonly keeps: readonly JsonObject[]
}

const hello = { role: 'user', content: 'Hello.' }
const rules = { role: 'developer', content: 'Be brief.', name: 'x' }

const rows: readonly Row[] = [
  {
    name: 'developer to system',
    adapt: developerToSystem,
    changes: [
      {
        from: { model: 'm', messages: [rules, hello, rules] },
        to: { model: 'm', messages: [{ ...rules, role: 'system' }, hello, { ...rules, role: 'system' }] },
        told: { converted: ['developer messages to system'] },
      },
    ],
    keeps: [
      { messages: [{ role: 'system', content: 'a' }, hello] },
      { messages: [hello, 'developer', null, ['developer']] },
      { messages: 'developer' },
      { prompt: 'a' },
    ],
  },
  {
    name: 'a stop to a list',
    adapt: stopToList,
    changes: [{ from: { stop: 'x' }, to: { stop: ['x'] }, told: { converted: ['stop to a list'] } }],
    keeps: [{ stop: ['x'] }, { stop: null }, {}],
  },
  {
    name: 'boolean logprobs to a number',
    adapt: booleanLogprobsToInteger,
    changes: [
      {
        from: { logprobs: true, top_logprobs: 5 },
        to: { logprobs: 5 },
        told: { converted: ['logprobs to 5'] },
      },
      { from: { logprobs: true }, to: { logprobs: 1 }, told: { converted: ['logprobs to 1'] } },
      {
        from: { logprobs: true, top_logprobs: 0 },
        to: { logprobs: 1 },
        told: { converted: ['logprobs to 1'] },
      },
      { from: { logprobs: false, seed: 1 }, to: { seed: 1 } },
    ],
    keeps: [{ logprobs: 3 }, { logprobs: null }, { top_logprobs: 2 }],
  },
  {
    name: 'a whole top_p left out',
    adapt: wholeTopPLeftOut,
    changes: [{ from: { top_p: 1, top_k: 2 }, to: { top_k: 2 } }],
    keeps: [{ top_p: 0.9 }, { top_p: null }, {}],
  },
  {
    name: 'stream options left out',
    adapt: streamOptionsLeftOut,
    changes: [
      { from: { stream: true, stream_options: { include_usage: true } }, to: { stream: true } },
      { from: { stream_options: null }, to: {} },
    ],
    keeps: [{ stream: true }],
  },
  {
    name: 'fields of messages left out',
    adapt: messageFieldsLeftOut(['name', 'reasoning_content']),
    changes: [
      {
        from: { messages: [rules, hello, { ...rules, reasoning_content: 'Hm.' }] },
        to: {
          messages: [
            { role: 'developer', content: 'Be brief.' },
            hello,
            { role: 'developer', content: 'Be brief.' },
          ],
        },
        told: { dropped: ['messages[].name', 'messages[].reasoning_content'] },
      },
      { from: { messages: [{ ...hello, name: null }] }, to: { messages: [hello] } },
    ],
    keeps: [{ messages: [hello], name: 'kept' }, { prompt: 'a' }],
  },
]

describe.for(rows)('$name', ({ adapt, changes, keeps }) => {
  test.for(changes)('$from becomes $to', ({ from, to, told }) => {
    const { notes } = startAttempt()
    const before = structuredClone(from)
    expect(adapt(from, 'chat', notes)).toEqual(to)
    expect(from).toEqual(before)
    expect({ dropped: notes.dropped, converted: notes.converted }).toEqual({
      ...{ dropped: [], converted: [] },
      ...told,
    })
  })

  test.for(keeps)('%j stays the very same', (body) => {
    const { notes } = startAttempt()
    expect(adapt(body, 'chat', notes)).toBe(body)
    expect([...notes.dropped, ...notes.converted]).toEqual([])
  })
})

test('several are made one after another', () => {
  const { notes } = startAttempt()
  const both = inTurn([stopToList, wholeTopPLeftOut])
  expect(both({ stop: 'x', top_p: 1 }, 'text', notes)).toEqual({ stop: ['x'] })
  const untouched = { model: 'm' }
  expect(both(untouched, 'text', notes)).toBe(untouched)
})
