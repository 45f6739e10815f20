import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import type { Clock, Sink } from '../../../src/core/model/ports.ts'
import type { CallRecord } from '../../../src/core/model/record/record.ts'

test('every sink gets the row once, at the end of the call', async () => {
  const { recorder, rows, time } = setUp()
  {
    using record = recorder.open('req_1', 'chat')
    expect(record.startedAt).toBe(1000)
    time.advance(250)
    expect(record.elapsedMs()).toBe(250)
    expect(rows).toEqual([[], []])
  }
  await setImmediate()
  expect(rows.map((written) => written.length)).toEqual([1, 1])
  expect(rows[0]?.[0]).toMatchObject({ id: 'req_1', dialect: 'chat', outcome: 'ok', status: 0, totalMs: 250 })
  expect(rows[0]?.[0]).toBe(rows[1]?.[0])
})

test('a record closed twice is written once, with the durations of the first close', async () => {
  const { recorder, rows, time } = setUp()
  const record = recorder.open('req_1', 'chat')
  time.advance(10)
  record[Symbol.dispose]()
  time.advance(10)
  record[Symbol.dispose]()
  await setImmediate()
  expect(rows.map((written) => written.length)).toEqual([1, 1])
  expect(record.row.totalMs).toBe(10)
})

test('concurrent records are independent', () => {
  const { recorder, rows } = setUp()
  using one = recorder.open('req_1', 'chat')
  using other = recorder.open('req_2', 'chat')
  one.row.flags.add('odd')
  one.splitInto(3)
  expect([other.row.parts, other.row.flags.size]).toEqual([1, 0])
  expect(rows).toEqual([[], []])
})

test.for([
  [1500, false],
  [1501, true],
] as const)('a call of %i ms is slow: %o', async ([totalMs, slow]) => {
  const { recorder, rows, time } = setUp()
  const record = recorder.open('req_1', 'chat')
  time.advance(totalMs)
  record[Symbol.dispose]()
  await setImmediate()
  expect(rows[0]?.[0]?.slow).toBe(slow)
})

describe('the end of an answer', () => {
  test('is sent at once if nothing needs a commit', () => {
    const { recorder } = setUp()
    using record = recorder.open('req_1', 'chat')
    let isSent = false
    expect(
      record.closeThen(() => {
        isSent = true
      }),
    ).toBeUndefined()
    expect(isSent).toBe(true)
  })

  test('waits until all rows of its turn are committed together', async () => {
    const steps: string[] = []
    const commits: (() => void)[] = []
    const { recorder } = setUp((row) => steps.push(`${row.id} written`), {
      commit: () => new Promise((resolve) => commits.push(resolve)),
    })
    const ends = ['req_1', 'req_2'].map((id) =>
      recorder.open(id, 'chat').closeThen(() => void steps.push(`${id} sent`)),
    )
    await setImmediate()
    expect(steps).toEqual(['req_1 written', 'req_2 written'])
    expect(commits).toHaveLength(1)
    commits[0]?.()
    await Promise.all(ends)
    expect(steps.slice(2)).toEqual(['req_1 sent', 'req_2 sent'])
  })
})

describe('a failure', () => {
  const cases: [FailureKind, string, number][] = [
    ['timeout', 'failed', 504],
    ['invalid_request', 'failed', 400],
    ['caller_left', 'left', 499],
  ]
  test.for(cases)('%s is noted as %s, %i', ([kind, outcome, status]) => {
    const { recorder } = setUp()
    using record = recorder.open('req_1', 'chat')
    const failure = new Failure(kind, 'Said so.')
    expect(record.fail(failure)).toBe(failure)
    expect(record.row).toMatchObject({ failure, outcome, status })
  })

  test('of an unknown kind is internal', () => {
    const { recorder } = setUp()
    using record = recorder.open('req_1', 'chat')
    const cause = new TypeError('a bug')
    expect(record.fail(cause)).toMatchObject({ kind: 'internal', cause })
    expect(record.row).toMatchObject({ outcome: 'failed', status: 500 })
  })

  test('after the status was sent leaves the status', () => {
    const { recorder } = setUp()
    using record = recorder.open('req_1', 'chat')
    record.sends(200, 0)
    record.fail(new Failure('interrupted', 'Cut.'))
    expect(record.row).toMatchObject({ outcome: 'failed', status: 200 })
  })

  test('of a caller that leaves is 499, after any sent status', () => {
    const { recorder } = setUp()
    using record = recorder.open('req_1', 'chat')
    record.sends(200, 0)
    record.fail(new Failure('caller_left', 'The caller left.'))
    expect(record.row).toMatchObject({ outcome: 'left', status: 499 })
  })
})

function setUp(
  written: (row: CallRecord) => void = () => undefined,
  { commit }: { commit?: () => Promise<void> } = {},
) {
  let now = 1000
  const clock: Clock = { now: () => now, epochMs: () => 0 }
  const rows: CallRecord[][] = [[], []]
  const sinks = rows.map((list): Sink => ({ write: (row) => void list.push(row) }))
  const time = {
    advance(ms: number) {
      now += ms
    },
  }
  return { recorder: createRecorder([...sinks, { write: written }], clock, 1500, commit), rows, time }
}
