import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Failure } from '../../src/core/model/failure.ts'
import { startRecord } from '../../src/core/model/record/record.ts'
import { createDebugLog } from '../../src/telemetry/debug-log.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { anAttempt } from './attempt-record.ts'

const failure = new Failure('timeout', 'secret', { operatorNote: 'Look there.' })
const record = {
  ...startRecord('req_1', 'chat'),
  plan: { strategy: 'first', route: 'm', order: ['m@a', 'm@b'], leftOut: [], expected: [] } as const,
  attempts: [
    anAttempt({
      deployment: 'm@a',
      outcome: 'timeout',
      failure,
      startMs: 1,
      totalMs: 10,
      isDelivered: false,
    }),
    anAttempt({ deployment: 'm@b', startMs: 31, upstreamStatus: 200 }),
  ],
  backoffMs: 20,
}

test('the steps of a call are a line each at debug, and none at info', () => {
  expect(stepsAt('info')).toEqual([])
  expect(stepsAt('debug')).toMatchObject([
    { level: 20, msg: 'plan', requestId: 'req_1', strategy: 'first', order: ['m@a', 'm@b'] },
    {
      msg: 'attempt',
      attempt: 0,
      waitedMs: 1,
      deployment: 'm@a',
      outcome: 'timeout',
      operatorNote: 'Look there.',
    },
    { msg: 'attempt', attempt: 1, waitedMs: 20, deployment: 'm@b', outcome: 'ok', upstreamStatus: 200 },
    { msg: 'waited between attempts', backoffMs: 20 },
  ])
})

test('no words of a failure are in them', () => {
  expect(JSON.stringify(stepsAt('debug'))).not.toContain('secret')
})

function stepsAt(level: string): readonly object[] {
  const lines: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  createDebugLog(createLog(level, destination)).write(record)
  return lines.map((line) => JSON.parse(line) as object)
}
