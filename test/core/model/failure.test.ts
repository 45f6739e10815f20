import { describe, expect, test } from 'vitest'
import { asFailure, Failure, type FailureKind } from '../../../src/core/model/failure.ts'

/** status, type, code, whose doing */
const table: Record<FailureKind, readonly [number, string, string | null, string]> = {
  invalid_request: [400, 'invalid_request_error', null, 'caller'],
  unauthorized: [401, 'invalid_request_error', 'invalid_api_key', 'caller'],
  not_found: [404, 'invalid_request_error', 'unknown_url', 'caller'],
  method_not_allowed: [405, 'invalid_request_error', 'method_not_supported', 'caller'],
  not_implemented: [501, 'invalid_request_error', 'not_implemented', 'caller'],
  too_large: [413, 'invalid_request_error', 'request_too_large', 'caller'],
  unsupported_media: [415, 'invalid_request_error', 'unsupported_media_type', 'caller'],
  forbidden: [403, 'invalid_request_error', 'forbidden', 'caller'],
  revoked: [401, 'invalid_request_error', 'key_revoked', 'caller'],
  conflict: [409, 'invalid_request_error', 'conflict', 'caller'],
  quota_exhausted: [429, 'insufficient_quota', 'insufficient_quota', 'caller'],
  limit_reached: [429, 'requests', 'rate_limit_exceeded', 'caller'],
  key_reused: [422, 'invalid_request_error', 'idempotency_key_reused', 'caller'],
  caller_left: [499, 'invalid_request_error', 'client_closed_request', 'caller'],
  superseded: [499, 'invalid_request_error', null, 'caller'],
  unsupported: [400, 'invalid_request_error', 'unsupported_parameter', 'caller'],
  model_not_found: [404, 'invalid_request_error', 'model_not_found', 'caller'],
  rejected: [400, 'invalid_request_error', null, 'caller'],
  context_length: [400, 'invalid_request_error', 'context_length_exceeded', 'caller'],
  content_filtered: [400, 'invalid_request_error', 'content_filter', 'caller'],
  rate_limited: [429, 'requests', 'rate_limit_exceeded', 'load'],
  overloaded: [503, 'service_unavailable_error', 'server_is_overloaded', 'upstream'],
  busy: [503, 'service_unavailable_error', 'upstream_busy', 'load'],
  upstream_error: [502, 'server_error', 'upstream_error', 'upstream'],
  unreachable: [502, 'server_error', 'upstream_unreachable', 'upstream'],
  invalid_response: [502, 'server_error', 'upstream_invalid_response', 'upstream'],
  interrupted: [502, 'server_error', 'upstream_stream_interrupted', 'upstream'],
  timeout: [504, 'server_error', 'upstream_timeout', 'upstream'],
  upstream_auth: [502, 'server_error', 'upstream_auth_error', 'operator'],
  path_not_found: [502, 'server_error', 'upstream_path_not_found', 'operator'],
  shed: [503, 'service_unavailable_error', 'gateway_overloaded', 'gateway'],
  draining: [503, 'service_unavailable_error', 'gateway_draining', 'gateway'],
  internal: [500, 'server_error', null, 'gateway'],
}

const kinds = Object.keys(table) as FailureKind[]

describe.for(kinds)('%s', (kind) => {
  const [status, type, code, blame] = table[kind]

  test('has its status, type, code and blame', () => {
    const failure = new Failure(kind, 'Said so.')
    expect(failure).toMatchObject({ name: 'Failure', kind, message: 'Said so.', code, param: null })
    expect([failure.status, failure.type, failure.blame]).toEqual([status, type, blame])
  })

  test('names its provider, unless the caller is at fault', () => {
    const failure = new Failure(kind, 'Said so.')
    expect(failure.at('there').provider).toBe(blame === 'caller' ? undefined : 'there')
  })
})

test('its own code overrides that of its kind; null is one too', () => {
  expect(new Failure('unauthorized', 'No.', { code: null }).code).toBeNull()
  expect(new Failure('rejected', 'No.', { code: 'invalid_value' }).code).toBe('invalid_value')
})

test('a failure that names its provider keeps it', () => {
  const failure = new Failure('timeout', 'Late.', { provider: 'here' })
  expect(failure.at('there')).toBe(failure)
})

test('nothing is lost when the provider is added', () => {
  const detail = {
    param: 'model',
    code: 'own',
    upstreamStatus: 429,
    retryAfterMs: 1500,
    operatorNote: 'Look there.',
    headers: { allow: 'POST' },
    cause: new Error('socket'),
  }
  const failure = new Failure('rate_limited', 'Slow down.', detail).at('there')
  expect(failure).toMatchObject({ ...detail, kind: 'rate_limited', message: 'Slow down.', provider: 'there' })
})

test('anything thrown becomes a failure: itself, or internal with its cause without its message', () => {
  const failure = new Failure('timeout', 'Late.')
  expect(asFailure(failure)).toBe(failure)
  for (const thrown of [new TypeError('secret'), 'secret', undefined, null]) {
    const told = asFailure(thrown)
    expect(told.kind).toBe('internal')
    expect(told.cause).toBe(thrown)
    expect(told.message).not.toContain('secret')
  }
})
