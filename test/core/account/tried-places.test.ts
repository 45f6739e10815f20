import { expect, test } from 'vitest'
import { withTriedPlaces } from '../../../src/core/account/tried-places.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { anAttempt } from '../../telemetry/attempt-record.ts'

const failed = (deployment: string, outcome: string) => anAttempt({ deployment, outcome, isDelivered: false })
const [a, b] = [failed('m@a', 'timeout'), failed('m@b', 'rate_limited')]

test.for<[string, FailureKind, readonly ReturnType<typeof failed>[], string]>([
  ['two places', 'overloaded', [a, b], 'Busy. 2 deployments were tried (m@a: timeout; m@b: rate_limited).'],
  [
    'a place tried again',
    'overloaded',
    [a, b, failed('m@a', 'interrupted')],
    'Busy. 2 deployments were tried (m@a: interrupted; m@b: rate_limited).',
  ],
  ['one place, several times', 'overloaded', [a, a, a], 'Busy.'],
  ['none', 'overloaded', [], 'Busy.'],
  ['a mistake of the caller', 'rejected', [a, b], 'Busy.'],
  ['an answer that broke off', 'interrupted', [a, anAttempt({ outcome: 'interrupted' })], 'Busy.'],
])('the error after %s', ([, kind, attempts, message]) => {
  expect(withTriedPlaces(new Failure(kind, 'Busy.', { provider: 'b' }), attempts)).toMatchObject({
    ...{ kind, message, provider: 'b' },
  })
})

test('names at most ten of them', () => {
  const many = Array.from({ length: 12 }, (_, at) => failed(`m@${at}`, 'timeout'))
  expect(withTriedPlaces(new Failure('timeout', 'Late.'), many).message).toMatch(
    /m@9: timeout; and 2 more\)\.$/,
  )
})
