import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { createSavingsReport } from '../../src/cli/savings/savings-report.ts'
import { Failure } from '../../src/core/model/failure.ts'
import { unknownPrice } from '../../src/core/model/price.ts'
import { decodeLine } from '../../src/core/model/record/line-writer.ts'
import { type CallRecord, startRecord } from '../../src/core/model/record/record.ts'
import { createGenerations } from '../../src/telemetry/generations.ts'
import { createJournal } from '../../src/telemetry/journal.ts'
import { createDirectCallLog, createLog } from '../../src/telemetry/log.ts'
import { anAttempt } from './attempt-record.ts'

const answered: Partial<CallRecord> = {
  kind: 'chat',
  model: 'mistral-7b',
  provider: 'pandotate',
  deployment: '*@pandotate',
  status: 200,
  attempts: [
    anAttempt({
      ...{ deployment: '*@pandotate', startMs: 0.126, headersMs: 5.004, firstTokenMs: 5.5, totalMs: 6 },
      ...{ upstreamStatus: 200, upstreamRequestId: 'up-1' },
    }),
  ],
  totalMs: 7.25,
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  usageEstimated: true,
}

const attempts = answered.attempts ?? []
const failed = {
  ...firstOf(attempts),
  ...{ part: 1, outcome: 'timeout', queuedMs: 0, isDelivered: false, isUncertain: true, isEstimated: true },
}
const price = { ...unknownPrice, inputNanoUsdPerMillion: 1e9, nanoUsdPerRequest: 0.1 + 0.2 }
const baseline = { deployment: '*@dear', price, workedMs: 1 }
const refused = new Failure('upstream_auth', 'm', {
  operatorNote: 'PANDOTATE_"KEY"',
  upstreamStatus: 401,
  param: 'a\nb',
  cause: Object.assign(new Error('m'), { code: 'ECONNREFUSED' }),
})
const bug = new Failure('internal', 'm', { cause: new TypeError('m') })
const details = {
  prompt_tokens_details: { cached_tokens: 1 },
  completion_tokens_details: { reasoning_tokens: 2 },
}
const everything: Partial<CallRecord> = {
  ...answered,
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, ...details },
  ...{ principal: 'key-1', parts: 2, firstTokenMs: 1, backoffMs: 1, cache: 'hit', baseline },
  ...{ costNanoUsd: 1, baselineNanoUsd: 2, savedNanoUsd: 1 },
  ...{ dropped: new Set(['store']), converted: new Set(['n']), flags: new Set(['f']) },
}

describe('the line of a call', () => {
  test('has ids, choices, durations and counts', () => {
    expect(logged(answered)).toEqual({
      level: 30,
      time: expect.any(String),
      msg: 'call',
      requestId: 'req_1',
      dialect: 'chat',
      model: 'mistral-7b',
      kind: 'chat',
      stream: false,
      deployment: '*@pandotate',
      provider: 'pandotate',
      status: 200,
      outcome: 'ok',
      attempts: [
        {
          deployment: '*@pandotate',
          outcome: 'ok',
          startMs: 0.13,
          headersMs: 5,
          firstTokenMs: 5.5,
          totalMs: 6,
          upstreamStatus: 200,
          upstreamRequestId: 'up-1',
          delivered: true,
        },
      ],
      parseMs: 0,
      totalMs: 7.25,
      overheadMs: 0,
      promptTokens: 3,
      completionTokens: 4,
      usageEstimated: true,
      slow: false,
      requestBytes: 0,
      responseBytes: 0,
    })
  })

  test('has the money, and how it was counted', () => {
    const price = { ...unknownPrice, inputNanoUsdPerMillion: 1e9, outputNanoUsdPerMillion: 2e9 }
    const used = { promptTokens: 10, cachedTokens: 0, completionTokens: 20, workedMs: 6 }
    const attempts = (answered.attempts ?? []).map((attempt) => ({
      ...attempt,
      price,
      used,
      isEstimated: true,
      costNanoUsd: 50_000,
    }))
    const dear = { ...unknownPrice, inputNanoUsdPerMillion: 4e9, outputNanoUsdPerMillion: 4e9 }
    const line = logged({
      ...answered,
      attempts,
      costNanoUsd: 50_000,
      costEstimated: true,
      baseline: { deployment: '*@dear', price: dear, workedMs: undefined },
      baselineNanoUsd: 120_000,
      savedNanoUsd: 70_000,
      cache: 'coalesced',
    })
    expect(line).toMatchObject({
      costNanoUsd: 50_000,
      costEstimated: true,
      baseline: {
        deployment: '*@dear',
        price: { inputNanoUsdPerMillion: 4e9, outputNanoUsdPerMillion: 4e9 },
      },
      baselineNanoUsd: 120_000,
      savedNanoUsd: 70_000,
      cache: 'coalesced',
    })
    expect(line['attempts']).toMatchObject([
      {
        costNanoUsd: 50_000,
        price: { inputNanoUsdPerMillion: 1e9, outputNanoUsdPerMillion: 2e9 },
        used,
        usageEstimated: true,
        delivered: true,
      },
    ])
    const report = createSavingsReport()
    report.add(JSON.stringify(line))
    expect(report.disagreements).toEqual([])
    expect(report.text()).toContain('saved     0.000070000 USD')
  })

  test('marks a resumed attempt, and one that may have been charged', () => {
    const [attempt] = answered.attempts ?? []
    if (attempt === undefined) throw new Error('There is an attempt.')
    const attempts = [
      { ...attempt, isResumed: true },
      { ...attempt, isDelivered: false, isUncertain: true, isEstimated: true },
    ]
    const [resumed, uncertain] = logged({ ...answered, attempts })['attempts'] as readonly object[]
    expect(resumed).toMatchObject({ delivered: true, resumed: true })
    expect(resumed).not.toHaveProperty('uncertain')
    expect(uncertain).toMatchObject({ uncertain: true, usageEstimated: true })
    expect(uncertain).not.toHaveProperty('resumed')
  })

  test('of a planned call reports an unknown cost', () => {
    const baseline = { deployment: '*@pandotate', price: unknownPrice, workedMs: undefined }
    const line = logged({ ...answered, baseline })
    expect(line).toMatchObject({ costNanoUsd: null, baseline: { deployment: '*@pandotate' } })
    expect(line['baseline']).not.toHaveProperty('price')
    expect(line).not.toHaveProperty('savedNanoUsd')
  })

  test('has what was dropped, converted and repaired', () => {
    const sets = {
      dropped: new Set(['store']),
      converted: new Set(['messages to prompt']),
      flags: new Set(['f']),
    }
    expect(logged({ ...answered, ...sets })).toMatchObject({
      dropped: ['store'],
      converted: ['messages to prompt'],
      flags: ['f'],
    })
  })

  test('of a failure has its kind and code, and no message', () => {
    const cause = Object.assign(new Error('secret-cause'), { code: 'ECONNREFUSED' })
    const failure = new Failure('upstream_auth', 'secret-message', {
      operatorNote: 'PANDOTATE_API_KEY',
      cause,
    })
    const line = logged({ status: 502, outcome: 'failed', failure })
    expect(line).toMatchObject({
      failure: { kind: 'upstream_auth', operatorNote: 'PANDOTATE_API_KEY', causeCode: 'ECONNREFUSED' },
    })
    expect(JSON.stringify(line)).not.toContain('secret')
  })

  test('of a bug has its location, without its message', () => {
    const failure = new Failure('internal', 'm', { cause: new TypeError('secret body') })
    const line = logged({ status: 500, outcome: 'failed', failure })
    expect(JSON.stringify(line)).toContain('line.test.ts')
    expect(JSON.stringify(line)).not.toContain('secret')
  })

  test.for([
    ['a system’s', 'ECONNREFUSED', 'ECONNREFUSED'],
    ['a number', 20, 20],
    ['someone’s text', { said: 'secret' }, undefined],
    ['not representable in JSON', 20n, undefined],
  ] as const)('with a code that is %s has %s as %s', ([, code, told]) => {
    const failure = new Failure('unreachable', 'm', { cause: Object.assign(new Error('m'), { code }) })
    const line = logged({ status: 502, outcome: 'failed', failure })
    expect((line['failure'] as Record<string, unknown>)['causeCode']).toBe(told)
  })

  test('clips a name longer than any model’s', () => {
    expect(String(logged({ model: 'm'.repeat(5000) })['model'])).toHaveLength(201)
  })

  test.for([
    ['answered', answered],
    ['that was streamed', { ...answered, stream: true, firstTokenMs: 0, flags: new Set(['usage_clamped']) }],
    ['in doubt', { ...answered, attempts: [], baseline, costNanoUsd: undefined, costEstimated: true }],
    ['paid for', { ...answered, baseline, costNanoUsd: 1e21, baselineNanoUsd: 5e-7, savedNanoUsd: -3 }],
    ['tried many times', { ...answered, backoffMs: 3, parts: 2, attempts: [failed, failed, ...attempts] }],
    ['that lost something', { ...answered, dropped: new Set(['store', 'a"b']), converted: new Set(['n']) }],
    ['from the cache', { ...answered, cache: 'hit', costNanoUsd: 0 }],
    ['by an odd name', { ...answered, model: 'q"\\\n\u2028é😀', principal: 'p"\t' }],
    ['by a long name', { ...answered, model: 'é"'.repeat(200), attempts }],
    [
      'with an impossible figure',
      { ...answered, totalMs: Number.NaN, requestBytes: Number.POSITIVE_INFINITY },
    ],
    ['that failed', { status: 502, outcome: 'failed', failure: refused }],
    ['that met a bug', { status: 500, outcome: 'failed', failure: bug }],
  ] satisfies [string, Partial<CallRecord>][])('of a call %s is the same as pino’s', ([, change]) => {
    const line = lineOf(change)
    expect(line).toBe(plainLine(line))
  })

  test('has durations in hundredths of a millisecond, as JSON spells them', () => {
    const odd = [
      0,
      -0,
      0.004,
      0.005,
      0.995,
      1.005,
      9.999,
      1e6 + 0.1,
      9_999_999.994,
      9_999_999.996,
      1e15,
      1e21,
      Number.POSITIVE_INFINITY,
      -0.126,
    ]
    const all = [...odd, ...Array.from({ length: 3000 }, (_, count) => count * 0.0137)]
    for (const parseMs of all) {
      const line = lineOf({ parseMs })
      expect(line).toContain(`,"parseMs":${JSON.stringify(Math.round(parseMs * 100) / 100)},`)
    }
  })

  test('has its members in a fixed order', () => {
    const all = Object.keys(logged({ ...everything, failure: refused }))
    for (const change of [answered, { ...answered, baseline }, { failure: refused }]) {
      const members = Object.keys(logged(change))
      expect(members).toEqual(all.filter((name) => members.includes(name)))
    }
    expect(all.join(' ')).toBe(
      'level time requestId dialect principal model kind stream deployment provider status outcome failure parts ' +
        'attempts parseMs firstTokenMs backoffMs totalMs overheadMs promptTokens completionTokens cachedTokens ' +
        'reasoningTokens usageEstimated cache costNanoUsd costEstimated baseline baselineNanoUsd savedNanoUsd slow requestBytes responseBytes ' +
        'dropped converted flags msg',
    )
  })
})

function lineOf(change: Partial<CallRecord>): string {
  const lines: string[] = []
  const log = createLog('trace', { write() {} })
  const calls = createDirectCallLog(log, {
    writeMembers: (head, members, tail) => lines.push(head + decodeLine(members) + tail),
  })
  const sink = createJournal(calls, createGenerations({ lines: 1, bytes: 1 }))
  sink.write({ ...startRecord('req_1', 'chat'), ...change })
  expect(lines).toHaveLength(1)
  return lines[0] ?? ''
}

function logged(change: Partial<CallRecord>): Record<string, unknown> {
  return JSON.parse(lineOf(change))
}

/** What pino makes of the members of a line. */
function plainLine(line: string): string {
  const { level, time, msg, ...members } = JSON.parse(line)
  const lines: string[] = []
  const timestamp = () => `,"time":"${time}"`
  const plain = pino({ level: 'trace', base: null, timestamp }, { write: (text) => lines.push(text) })
  plain[pino.levels.labels[level] as pino.Level](members, msg)
  return lines.join('')
}

function firstOf<Item>([item]: readonly Item[]): Item {
  if (item === undefined) throw new Error('There is one.')
  return item
}
