import { describe, expect, test, vi } from 'vitest'
import { decodeLine } from '../../src/core/model/record/line-writer.ts'
import { type CallRecord, startRecord } from '../../src/core/model/record/record.ts'
import { createGenerations } from '../../src/telemetry/generations.ts'
import { createJournal } from '../../src/telemetry/journal.ts'
import { type CallLog, createCallLog, createDirectCallLog, createLog } from '../../src/telemetry/log.ts'

describe.for(['by any logger', 'directly'] as const)('a call that is logged %s', (way) => {
  test.for([
    [200, 'ok', 30],
    [400, 'failed', 30],
    [499, 'left', 30],
    [502, 'failed', 40],
    [500, 'failed', 50],
  ] as const)('with status %s, %s, has a line of level %s', ([status, outcome, level]) => {
    const { lines, write } = logOf(way)
    write({ status, outcome })
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(`^{"level":${level},"time":"[^"]*","requestId":"req_1",.*,"msg":"call"}\n$`),
      ),
    ])
  })

  test('has a line if its level is logged, as that changes', () => {
    const { lines, log, write } = logOf(way)
    for (const level of ['error', 'info', 'silent', 'trace']) {
      log.level = level
      write({ id: level })
    }
    expect(lines.map((line) => JSON.parse(line).requestId)).toEqual(['info', 'trace'])
  })

  test('does not affect other lines of the logger', () => {
    const { lines, log, write } = logOf(way)
    write({})
    log.info({ url: 'http://localhost' }, 'serving')
    expect(lines.slice(1)).toEqual([expect.stringMatching(/,"url":"http:\/\/localhost","msg":"serving"}\n$/)])
  })

  test('has the time when its line is written', () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const times = [1000, 1000, 2500]
      const { lines, write } = logOf(way)
      for (const now of times) {
        vi.setSystemTime(now)
        write({})
      }
      expect(lines.map((line) => Date.parse(JSON.parse(line).time))).toEqual(times)
    } finally {
      vi.useRealTimers()
    }
  })
})

test('both ways give the same line', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const [one, other] = [logOf('by any logger'), logOf('directly')]
    for (const { write } of [one, other]) write({ model: 'é"\n😀', totalMs: 1.005, status: 502 })
    expect(other.lines).toEqual(one.lines)
  } finally {
    vi.useRealTimers()
  }
})

function logOf(way: 'by any logger' | 'directly') {
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => lines.push(line) })
  const direct: CallLog = createDirectCallLog(log, {
    writeMembers: (head, members, tail) => lines.push(head + decodeLine(members) + tail),
  })
  const calls = way === 'directly' ? direct : createCallLog(log)
  const sink = createJournal(calls, createGenerations({ lines: 1, bytes: 1 }))
  const write = (change: Partial<CallRecord>) => sink.write({ ...startRecord('req_1', 'chat'), ...change })
  return { lines, log, write }
}
