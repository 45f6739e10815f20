import type { Logger } from 'pino'
import { expect, test, vi } from 'vitest'
import type { Sink } from '../../src/core/model/ports.ts'
import { type CallRecord, startRecord } from '../../src/core/model/record/record.ts'
import { createGenerations } from '../../src/telemetry/generations.ts'
import { createJournal } from '../../src/telemetry/journal.ts'
import { createCallLog, createLog } from '../../src/telemetry/log.ts'

test.for([
  [200, 'ok', 30],
  [400, 'failed', 30],
  [499, 'left', 30],
  [502, 'failed', 40],
  [500, 'failed', 50],
] as const)('a line of a call with status %s, %s, has level %s', ([status, outcome, level]) => {
  expect(logged({ status, outcome })).toMatchObject({ level })
})

test('a call’s line is made where its level is logged, as that changes', () => {
  const lines: string[] = []
  const log = createLog('error', { write: (line) => lines.push(line) })
  const sink = journal(log)
  for (const level of ['error', 'info', 'silent', 'trace']) {
    log.level = level
    sink.write(startRecord(level, 'chat'))
  }
  expect(lines.map((line) => JSON.parse(line).requestId)).toEqual(['info', 'trace'])
})

test('the lines of calls leave the other lines of their logger as they are', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => lines.push(line) })
  journal(log).write(startRecord('req_1', 'chat'))
  log.info({ url: 'http://localhost' }, 'serving')
  expect(lines.slice(1)).toEqual([expect.stringMatching(/,"url":"http:\/\/localhost","msg":"serving"}\n$/)])
})

test('a line tells the time at which it is written', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    for (const now of [1000, 1000, 2500]) {
      vi.setSystemTime(now)
      expect(logged({})['time']).toBe(new Date(now).toISOString())
    }
  } finally {
    vi.useRealTimers()
  }
})

function logged(change: Partial<CallRecord>): Record<string, unknown> {
  const lines: string[] = []
  const sink = journal(createLog('trace', { write: (line) => lines.push(line) }))
  sink.write({ ...startRecord('req_1', 'chat'), ...change })
  expect(lines).toHaveLength(1)
  return JSON.parse(lines[0] ?? '')
}

function journal(log: Logger): Sink {
  return createJournal(createCallLog(log), createGenerations({ lines: 1, bytes: 1 }))
}
