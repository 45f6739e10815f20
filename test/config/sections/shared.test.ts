import { expect, test } from 'vitest'
import { load, report } from '../load.ts'

const one = 'expected redis://host:6379, or several, separated by commas'

test.for([
  ['127.0.0.1:6379', `found a secret of 14 characters, ${one}`],
  ['redis://:word@host:99999', `found a secret of 24 characters, ${one}`],
  ['redis://:word@host/cache', `found a secret of 24 characters, ${one}`],
  ['redis://:word%zz@host', `found a secret of 21 characters, ${one}`],
] as const)('REDIS_URL=%s is refused', ([REDIS_URL, message]) => {
  expect(report(undefined, { REDIS_URL })).toEqual([`environment: REDIS_URL: ${message}`])
})

test.for([
  ['redis://one,redis://two', 'single', 'sentinel or cluster, as the URL has several addresses'],
  ['redis://one/3', 'cluster', 'single or sentinel, as the URL names a database'],
] as const)('REDIS_URL=%s is refused for %s', ([REDIS_URL, REDIS_MODE, modes]) => {
  expect(report(undefined, { REDIS_URL, REDIS_MODE })).toEqual([
    `environment: REDIS_MODE: found "${REDIS_MODE}", expected: ${modes}`,
  ])
})

test.for([
  ['redis://:p%40ss@host:6379/3', 'single'],
  ['rediss://user:word@host', 'single'],
  ['redis://[::1]:6379', 'single'],
  ['redis://one/3,redis://two', 'sentinel'],
  ['redis://one/0,redis://two:7000', 'cluster'],
] as const)('REDIS_URL=%s is read, for %s', ([REDIS_URL, REDIS_MODE]) => {
  expect(load(undefined, { REDIS_URL, REDIS_MODE }).shared.redis).toMatchObject({
    url: REDIS_URL,
    mode: REDIS_MODE,
  })
})
