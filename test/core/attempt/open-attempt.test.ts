import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openAttempt } from '../../../src/core/attempt/open-attempt.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { aCaller, attemptParts } from '../../harness/core/attempt-walk.ts'
import { scriptedUpstream } from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const busy = new Failure('overloaded', 'Busy.')

describe('an attempt ends once', () => {
  test.for([
    ['end', (open: ReturnType<typeof openAttempt>) => open.end(), 'ok'],
    ['fail', (open: ReturnType<typeof openAttempt>) => open.fail(busy), 'overloaded'],
    ['leave', (open: ReturnType<typeof openAttempt>) => open.leave(), 'caller_left'],
  ] as const)('by %s, regardless of what follows', async ([, finish, outcome]) => {
    const { caller, open, parts } = anAttempt()
    await vi.advanceTimersByTimeAsync(40)
    finish(open)
    await vi.advanceTimersByTimeAsync(40)
    open.end()
    open.fail(new Failure('timeout', 'Late.'))
    open.leave()
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome, totalMs: 40 }])
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })
})

test('a failure aborts the connection with that reason, with the provider’s name', () => {
  const { open } = anAttempt()
  const reason = open.fail(busy)
  expect(reason).toMatchObject({ kind: 'overloaded', provider: 'scripted' })
  expect(open.signal.reason).toBe(reason)
})

test('a complete answer does not abort the connection', () => {
  const { open } = anAttempt()
  open.commit()
  open.end()
  open.leave()
  expect(open.signal.aborted).toBe(false)
})

test('a caller that has left is the reason for any failure', () => {
  const { caller, open, parts } = anAttempt()
  caller.leave()
  expect(open.signal.reason).toBe(caller.reason)
  expect(open.fail(new TypeError('socket hang up'))).toBe(caller.reason)
  expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'caller_left' }])
})

test('a caller that has already left starts nothing', () => {
  const caller = aCaller()
  caller.leave()
  const parts = attemptParts(scriptedUpstream([[]]), { signal: caller.signal })
  expect(() => openAttempt(parts)).toThrow(caller.reason)
  expect(parts.context.record.row.attempts).toEqual([])
})

test('a disposed watch does not expire', async () => {
  const { open } = anAttempt()
  const watch = open.watch(() => new Failure('timeout', 'Late.'))
  watch.waiting()
  watch[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(0)
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(open.signal.aborted).toBe(false)
})

test('several attempts are recorded in the order of their start', () => {
  const { parts, open } = anAttempt()
  openAttempt({ ...parts, part: 2 })
  open.end()
  openAttempt({ ...parts, part: 1 })
  expect(parts.context.record.row.attempts.map(({ part }) => part)).toEqual([0, 2, 1])
})

function anAttempt() {
  const caller = aCaller()
  const parts = attemptParts(scriptedUpstream([[]]), { signal: caller.signal })
  return { caller, parts, open: openAttempt(parts) }
}
