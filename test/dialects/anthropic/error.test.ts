import { expect, test } from 'vitest'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { anthropicError } from '../../../src/dialects/anthropic/error.ts'

test.for<[FailureKind, string]>([
  ['invalid_request', 'invalid_request_error'],
  ['unauthorized', 'authentication_error'],
  ['not_found', 'not_found_error'],
  ['model_not_found', 'not_found_error'],
  ['method_not_allowed', 'invalid_request_error'],
  ['too_large', 'request_too_large'],
  ['unsupported_media', 'invalid_request_error'],
  ['unsupported', 'invalid_request_error'],
  ['rejected', 'invalid_request_error'],
  ['content_filtered', 'invalid_request_error'],
  ['rate_limited', 'rate_limit_error'],
  ['overloaded', 'overloaded_error'],
  ['draining', 'overloaded_error'],
  ['upstream_error', 'api_error'],
  ['interrupted', 'api_error'],
  ['timeout', 'timeout_error'],
  ['internal', 'api_error'],
])('%s is an %s', ([kind, type]) => {
  const failure = new Failure(kind, 'Why.')
  const error = { type, message: 'Why.' }
  expect(anthropicError(failure, 'req_1')).toEqual({ type: 'error', error, request_id: 'req_1' })
  expect(anthropicError(failure)).toEqual({ type: 'error', error, request_id: null })
})

test('a prompt that is too long is reported in the words agents look for', () => {
  const { error } = anthropicError(new Failure('context_length', 'It holds 5 tokens.'))
  expect(error).toEqual({ type: 'invalid_request_error', message: 'prompt is too long: It holds 5 tokens.' })
})
