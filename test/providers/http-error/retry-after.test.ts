import { describe, expect, test } from 'vitest'
import type { Failure } from '../../../src/core/model/failure.ts'
import { failureOf } from '../../../src/providers/http-error/http-error.ts'

const asked = {
  provider: 'up',
  model: 'llama',
  key: 'ours',
  keySetting: 'UP_KEY',
  secrets: [],
  epochMs: Date.UTC(2026, 10, 23, 12, 0, 0),
} as const

function refuse(status: number, headers: Readonly<Record<string, string>>): Failure {
  return failureOf({ status, text: '', header: (name) => headers[name] }, asked)
}

describe('how long to wait', () => {
  const waits: readonly (readonly [string, Record<string, string>, number | undefined])[] = [
    ['seconds', { 'retry-after': '2' }, 2000],
    ['a fraction', { 'retry-after': '0.5' }, 500],
    ['nothing at all', { 'retry-after': '0' }, 0],
    ['milliseconds first', { 'retry-after': '9', 'retry-after-ms': '150' }, 150],
    ['bad milliseconds', { 'retry-after': '9', 'retry-after-ms': 'soon' }, 9000],
    ['a date', { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
    ['an old form of date', { 'retry-after': 'Monday, 23-Nov-26 12:00:30 GMT' }, 30_000],
    ['a date gone by', { 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' }, 0],
    ['a long time', { 'retry-after': '3600' }, 3_600_000],
    ['ten digits', { 'retry-after': '9999999999' }, 86_400_000],
    ['ten digits, of milliseconds', { 'retry-after-ms': '9999999999' }, 86_400_000],
    ['ten digits of long ago', { 'retry-after': '1234567890' }, 86_400_000],
    ['ten digits, most of them noughts', { 'retry-after': '0000000007' }, 7000],
    ['twenty digits', { 'retry-after': '99999999999999999999' }, 86_400_000],
    ['many places', { 'retry-after': '1.50000000000000' }, 1500],
    ['the seconds since 1970', { 'retry-after': `${asked.epochMs / 1000 + 30}` }, 30_000],
    ['the seconds since 1970, gone by', { 'retry-after': `${asked.epochMs / 1000 - 30}` }, 0],
    ['a date in a far year', { 'retry-after': 'Mon, 23 Nov 2099 12:00:30 GMT' }, 86_400_000],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['a number with a power', { 'retry-after': '1e3' }, undefined],
    ['words', { 'retry-after': 'in a while' }, undefined],
    ['a word that begins a date', { 'retry-after': 'Mon, sometime' }, undefined],
    ['an empty word', { 'retry-after': '' }, undefined],
    ['no word', {}, undefined],
  ]

  test.for(waits)('%s', ([, headers, retryAfterMs]) => {
    expect(refuse(429, headers).retryAfterMs).toBe(retryAfterMs)
    expect(refuse(503, headers).retryAfterMs).toBe(retryAfterMs)
  })

  test('is in the message, in the words that clients look for', () => {
    expect(refuse(429, { 'retry-after-ms': '1200' }).message).toMatch(/Please try again in 2s\.$/)
  })

  test.for([400, 401, 404, 500, 502])('counts for nothing with status %i', (status) => {
    expect(refuse(status, { 'retry-after': '2' }).retryAfterMs).toBeUndefined()
  })
})

describe('when the limit of the rate is over', () => {
  const reset = 'x-ratelimit-reset'
  const requests = 'x-ratelimit-reset-requests'
  const tokens = 'x-ratelimit-reset-tokens'
  const [leftRequests, leftTokens] = ['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-tokens']
  const epochSeconds = asked.epochMs / 1000 + 90
  const resets: readonly (readonly [string, Record<string, string>, number | undefined])[] = [
    ['seconds', { [reset]: '30' }, 30_000],
    ['a fraction', { [reset]: '0.25' }, 250],
    ['a second', { [requests]: '1s' }, 1000],
    ['minutes and seconds', { [tokens]: '6m0s' }, 360_000],
    ['a fraction of seconds', { [tokens]: '2m59.5s' }, 179_500],
    ['milliseconds', { [tokens]: '120ms' }, 120],
    ['hours', { [tokens]: '1h2m3s' }, 3_723_000],
    ['seconds since 1970', { [reset]: String(epochSeconds) }, 90_000],
    ['milliseconds since 1970', { [reset]: String(epochSeconds * 1000) }, 90_000],
    ['a second gone by', { [reset]: String(epochSeconds - 3600) }, 0],
    ['a date', { [reset]: '2026-11-23T12:00:07Z' }, 7000],
    ['the later of two', { [requests]: '1s', [tokens]: '6m0s' }, 360_000],
    [
      'the one that is used up',
      { [requests]: '8s', [leftRequests]: '0', [tokens]: '6m0s', [leftTokens]: '149000' },
      8000,
    ],
    ['less than what it says of coming back', { 'retry-after': '2', [reset]: '30' }, 2000],
    ['what can be read, beside what cannot', { [requests]: 'soon', [tokens]: '2s' }, 2000],
    ['words', { [reset]: 'soon' }, undefined],
    ['no unit that is known', { [reset]: '3 parsecs' }, undefined],
    ['something below nothing', { [reset]: '-3' }, undefined],
    ['something in brackets', { [reset]: '1s(2s)' }, undefined],
    ['an empty word', { [reset]: '' }, undefined],
  ]

  test.for(resets)('%s', ([, headers, ms]) => {
    expect(refuse(429, headers).retryAfterMs).toBe(ms)
  })

  test.for([400, 401, 500, 503, 529])('counts for nothing with status %i', (status) => {
    expect(refuse(status, { [reset]: '30' }).retryAfterMs).toBeUndefined()
  })
})
