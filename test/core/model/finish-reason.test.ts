import { describe, expect, test } from 'vitest'
import { finishReasonOf } from '../../../src/core/model/finish-reason.ts'

/** what the upstream said · of a chat · of a chat that called tools · of a text · flagged unknown */
const cases: readonly (readonly [unknown, string | null, string | null, string | null, boolean])[] = [
  [undefined, null, null, null, false],
  [null, null, null, null, false],
  ['', null, null, null, false],
  ['stop', 'stop', 'tool_calls', 'stop', false],
  ['STOP', 'stop', 'tool_calls', 'stop', false],
  ['eos', 'stop', 'tool_calls', 'stop', false],
  ['eos_token', 'stop', 'tool_calls', 'stop', false],
  ['end_turn', 'stop', 'tool_calls', 'stop', false],
  ['COMPLETED', 'stop', 'tool_calls', 'stop', false],
  ['length', 'length', 'length', 'length', false],
  ['max_tokens', 'length', 'length', 'length', false],
  ['content_filter', 'content_filter', 'content_filter', 'content_filter', false],
  ['tool_calls', 'tool_calls', 'tool_calls', 'stop', false],
  ['tool_use', 'tool_calls', 'tool_calls', 'stop', false],
  // The deprecated word of some upstreams for what they tell as tool calls.
  ['function_call', 'function_call', 'tool_calls', 'stop', false],
  ['because', 'stop', 'tool_calls', 'stop', true],
  [7, 'stop', 'tool_calls', 'stop', true],
  [{ toString: 1 }, 'stop', 'tool_calls', 'stop', true],
]

describe.for(cases)('%o', ([said, chat, withTools, text, flagged]) => {
  test.for([
    ['chat', false, chat],
    ['chat', true, withTools],
    ['text', false, text],
  ] as const)('ends a %s (tools: %o) with %o', ([kind, usesTools, reason]) => {
    const flags = new Set<string>()
    expect(finishReasonOf(said, kind, usesTools, flags)).toBe(reason)
    expect([...flags]).toEqual(flagged ? ['finish_reason_unknown'] : [])
  })
})

test.for(['error', 'abort', 'Aborted', 'cancelled', 'canceled'])('%s is no end but a failure', (word) => {
  expect(() => finishReasonOf(word, 'chat', false, new Set())).toThrow(
    expect.objectContaining({ kind: 'interrupted' }),
  )
})
