import { expect, test } from 'vitest'
import { Failure, type FailureDetail, type FailureKind } from '../../../src/core/model/failure.ts'
import { chat } from '../../../src/dialects/openai/chat.ts'
import { completions } from '../../../src/dialects/openai/completions.ts'

const cases: [FailureKind, FailureDetail, object][] = [
  ['invalid_request', {}, { type: 'invalid_request_error', param: null, code: null }],
  [
    'invalid_request',
    { param: 'messages[0].role', code: 'invalid_value' },
    { type: 'invalid_request_error', param: 'messages[0].role', code: 'invalid_value' },
  ],
  ['unauthorized', {}, { type: 'invalid_request_error', param: null, code: 'invalid_api_key' }],
  ['rate_limited', {}, { type: 'requests', param: null, code: 'rate_limit_exceeded' }],
  [
    'upstream_error',
    { provider: 'pandotate', operatorNote: 'secret', cause: new Error('secret') },
    { type: 'server_error', param: null, code: 'upstream_error' },
  ],
  ['internal', {}, { type: 'server_error', param: null, code: null }],
]

test.for(cases)('The failure %s %j has all four keys, in order, and no more', ([kind, detail, expected]) => {
  const failure = new Failure(kind, 'It failed.', detail)
  for (const dialect of [completions, chat]) {
    expect(JSON.stringify(dialect.fail(failure))).toBe(
      JSON.stringify({ error: { message: 'It failed.', ...expected } }),
    )
  }
})
