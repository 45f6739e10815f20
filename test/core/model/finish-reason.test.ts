import { describe, expect, test } from 'vitest'
import { readFinishReason } from '../../../src/core/model/finish-reason.ts'

/** what the upstream said · of a chat · of a chat that called tools · of a text */
const cases: readonly (readonly [unknown, string | null, string | null, string | null])[] = [
  [undefined, null, null, null],
  [null, null, null, null],
  ['', null, null, null],
  ['null', null, null, null],
  ['FINISH_REASON_UNSPECIFIED', null, null, null],
  ['stop', 'stop', 'tool_calls', 'stop'],
  ['STOP', 'stop', 'tool_calls', 'stop'],
  ['FINISH_REASON_STOP', 'stop', 'tool_calls', 'stop'],
  ['eos', 'stop', 'tool_calls', 'stop'],
  ['eos_token', 'stop', 'tool_calls', 'stop'],
  ['end_turn', 'stop', 'tool_calls', 'stop'],
  ['COMPLETED', 'stop', 'tool_calls', 'stop'],
  ...(
    [
      ...['length', 'max_tokens', 'MAX_TOKENS', 'max_output_tokens', 'model_length', 'max_length', 'limit'],
      ...['model_context_window_exceeded', 'context_length_exceeded', 'too_long', 'truncated', 'ERROR_LIMIT'],
    ] as const
  ).map((word) => [word, 'length', 'length', 'length'] as const),
  ...(
    [
      ...[
        'content_filter',
        'ContentFilter',
        'content_filtered',
        'SAFETY',
        'sensitive',
        'refusal',
        'RECITATION',
      ],
      ...['PROHIBITED_CONTENT', 'BLOCKLIST', 'guardrail_intervened', 'ERROR_TOXIC', 'moderation', 'SPII'],
    ] as const
  ).map((word) => [word, 'content_filter', 'content_filter', 'content_filter'] as const),
  ['tool_calls', 'tool_calls', 'tool_calls', 'stop'],
  ['tool_use', 'tool_calls', 'tool_calls', 'stop'],
  // The deprecated word of some upstreams for what they tell as tool calls.
  ['function_call', 'function_call', 'tool_calls', 'stop'],
  // SGLang's own API.
  [{ type: 'length', length: 16 }, 'length', 'length', 'length'],
]

describe.for(cases)('%o', ([said, chat, withTools, text]) => {
  test.for([
    ['chat', false, chat],
    ['chat', true, withTools],
    ['text', false, text],
  ] as const)('ends a %s (tools: %o) with %o', ([kind, usesTools, reason]) => {
    expect(readFinishReason(said, kind, usesTools)).toBe(reason)
  })
})

test.for([
  ...['error', 'abort', 'Aborted', 'cancelled', 'canceled', 'insufficient_system_resource', 'network_error'],
  ...[
    'timeout',
    'timed out',
    'engine_error',
    'failed',
    'incomplete',
    'MALFORMED_FUNCTION_CALL',
    'rate_limit',
  ],
])('%s is a failure, not an end', (word) => {
  expect(() => readFinishReason(word, 'chat', false)).toThrow(
    expect.objectContaining({ kind: 'interrupted' }),
  )
})

test.for([
  ['because', 'because'],
  ['Weary ', 'Weary'],
  [7, '7'],
  [true, 'true'],
  [JSON.rawJSON('1e-400'), '1e-400'],
  [{ toString: 1 }, '{"toString":1}'],
  [[], '[]'],
  ['x'.repeat(100), 'x'.repeat(64)],
] as const)('%o is unknown, and is reported as sent', ([said, unknown]) => {
  expect(readFinishReason(said, 'chat', false)).toEqual({ unknown })
})
