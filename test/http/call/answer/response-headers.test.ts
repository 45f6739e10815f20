import { expect, test } from 'vitest'
import { createRecorder } from '../../../../src/core/account/recorder.ts'
import { Failure } from '../../../../src/core/model/failure.ts'
import type { CallRecord } from '../../../../src/core/model/record/record.ts'
import { answerHeaders, failureHeaders } from '../../../../src/http/call/answer/response-headers.ts'
import { handClock } from '../../../harness/core/pool.ts'

test.for([
  ['known', { costNanoUsd: 1_500_000 }, '0.001500000', undefined],
  ['nothing', { costNanoUsd: 0 }, '0.000000000', undefined],
  ['not known, or not yet', {}, undefined, undefined],
  ['nothing, for it was kept', { costNanoUsd: 0, cache: 'hit' }, '0.000000000', 'hit'],
  ['nothing, for it was made before', { costNanoUsd: 0, cache: 'replay' }, '0.000000000', 'replay'],
  ['nothing, for it was shared', { costNanoUsd: 0, cache: 'coalesced' }, '0.000000000', 'coalesced'],
] as const)('an answer whose cost is %s', ([, change, cost, cache]) => {
  const headers = headersOf(answerHeaders(recordOf(change)))
  expect(headers.get('x-pandotate-cost-usd')).toBe(cost)
  expect(headers.get('x-pandotate-cache')).toBe(cache)
  expect(headers.get('idempotent-replayed')).toBe(cache === 'replay' ? 'true' : undefined)
})

test('a failure tells what its attempts cost', () => {
  const failed = failureHeaders(recordOf({ costNanoUsd: 7 }), new Failure('overloaded', 'Full.'))
  expect(headersOf(failed).get('x-pandotate-cost-usd')).toBe('0.000000007')
})

test.for([
  ['a limit that lasts so long', new Failure('rate_limited', 'Wait.', { retryAfterMs: 2500 }), '3', '2500'],
  ['a limit without a time', new Failure('rate_limited', 'Wait.'), '1', '1000'],
  ['an overload without a time', new Failure('overloaded', 'Busy.'), '1', '1000'],
  ['anything else without a time', new Failure('upstream_error', 'No.'), undefined, undefined],
] as const)('a failure tells when to come back: %s', ([, failure, seconds, milliseconds]) => {
  const headers = headersOf(failureHeaders(recordOf({}), failure))
  expect(headers.get('retry-after')).toBe(seconds)
  expect(headers.get('retry-after-ms')).toBe(milliseconds)
})

test.for([
  ['at its only place', ['upstream_auth'], 'false'],
  ['at every place', ['upstream_auth', 'upstream_auth'], 'false'],
  ['at one place, where the address of another is wrong', ['path_not_found', 'upstream_auth'], 'false'],
  ['before anything was sent', [], 'false'],
  ['at one place, where another was not well', ['overloaded', 'upstream_auth'], undefined],
] as const)(
  'a call for which our key was refused %s is worth another, or not',
  ([, outcomes, shouldRetry]) => {
    const record = recordOf({})
    Object.assign(record.row, { attempts: outcomes.map((outcome) => ({ ...anAttempt, outcome })) })
    const headers = headersOf(failureHeaders(record, new Failure('upstream_auth', 'Refused.')))
    expect(headers.get('x-should-retry')).toBe(shouldRetry)
  },
)

test.for([
  ['was refused', {}, undefined],
  ['may have been paid for', { isUncertain: true }, 'false'],
  ['was paid for', { used: { promptTokens: 1, completionTokens: 0 } }, 'false'],
] as const)('a call of which an attempt %s is worth another, or not', ([, change, shouldRetry]) => {
  const record = recordOf({})
  Object.assign(record.row, { attempts: [{ ...anAttempt, ...change }] })
  const headers = headersOf(failureHeaders(record, new Failure('overloaded', 'Busy.')))
  expect(headers.get('x-should-retry')).toBe(shouldRetry)
})

test('the overhead is what neither an attempt nor a wait before it accounts for', () => {
  const clock = handClock()
  const record = createRecorder([], clock, 1500).open('req_1', 'chat')
  const attempts = [
    { ...anAttempt, startMs: 41, queuedMs: 40, totalMs: 5 },
    { ...anAttempt, startMs: 50, firstTokenMs: 10, totalMs: 30 },
  ]
  clock.move(62)
  Object.assign(record.row, { attempts })
  // Of 62 ms, 40 in a queue, 5 and 10 at upstreams, and 4 from one to the other.
  expect(headersOf(answerHeaders(record)).get('x-pandotate-overhead-ms')).toBe('3.00')
})

const anAttempt = { firstTokenMs: undefined, outcome: 'ok' }

function recordOf(change: Partial<CallRecord>) {
  const record = createRecorder([], handClock(), 1500).open('req_1', 'chat')
  Object.assign(record.row, change)
  return record
}

function headersOf(flat: readonly string[]): ReadonlyMap<string, string> {
  return new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : [])))
}
