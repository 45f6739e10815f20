import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSavingsReport } from '../../../src/cli/savings/savings-report.ts'
import { openCallCost } from '../../../src/core/account/call-cost.ts'
import { createMeter } from '../../../src/core/account/meter.ts'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import { openAttempt } from '../../../src/core/attempt/open-attempt.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import type { CallRecord } from '../../../src/core/model/record/record.ts'
import { createGenerations } from '../../../src/telemetry/generations.ts'
import { createJournal } from '../../../src/telemetry/journal.ts'
import { createCallLog, createLog } from '../../../src/telemetry/log.ts'
import { startChild } from '../../acceptance/child.ts'
import { startFaster, startFile } from '../../acceptance/gateway-process.ts'
import { attemptParts, upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { serve } from '../../harness/core/core-gateway.ts'
import {
  aCall,
  aDeployment,
  bursts,
  fail,
  readAll,
  textChunk,
  timersClock,
  usageChunk,
} from '../../harness/scripted-upstream.ts'

const cheap = { inputNanoUsdPerMillion: 300_000_000, outputNanoUsdPerMillion: 300_000_000 }
const dear = { inputNanoUsdPerMillion: 1_040_000_000, outputNanoUsdPerMillion: 1_040_000_000 }
const used = { promptTokens: 1000, cachedTokens: 0, completionTokens: 500 }

const attempt = (changes: JsonObject = {}): JsonObject => ({
  deployment: 'qwen@together',
  outcome: 'ok',
  price: cheap,
  used,
  delivered: true,
  costNanoUsd: 450_000,
  ...changes,
})

/** A call that cost 0.00045 USD and would have cost 0.00156 USD. */
const call = (changes: JsonObject = {}): JsonObject => ({
  level: 30,
  msg: 'call',
  requestId: 'req_1',
  attempts: [attempt()],
  costNanoUsd: 450_000,
  costEstimated: false,
  baseline: { deployment: 'llama@together', price: dear },
  baselineNanoUsd: 1_560_000,
  savedNanoUsd: 1_110_000,
  ...changes,
})

const failed = attempt({ deployment: 'qwen@baseten', outcome: 'interrupted', delivered: undefined })

function reportOn(...lines: readonly (JsonObject | string)[]) {
  const report = createSavingsReport()
  for (const line of lines) report.add(typeof line === 'string' ? line : JSON.stringify(line))
  return report
}

describe('a line that says what it comes to', () => {
  test.for<[string, JsonObject]>([
    ['of one attempt', call()],
    [
      'of a failed attempt, too',
      call({ attempts: [failed, attempt()], costNanoUsd: 900_000, savedNanoUsd: 660_000 }),
    ],
    [
      'of an attempt that used nothing',
      call({ attempts: [{ deployment: 'b', outcome: 'overloaded', costNanoUsd: 0 }, attempt()] }),
    ],
    ['without a baseline', call({ baseline: undefined, baselineNanoUsd: null, savedNanoUsd: null })],
    [
      'at an unknown price',
      call({
        attempts: [attempt({ price: undefined, costNanoUsd: null })],
        costNanoUsd: null,
        savedNanoUsd: null,
      }),
    ],
    [
      'with what was counted here',
      call({ attempts: [attempt({ usageEstimated: true })], costEstimated: true }),
    ],
    [
      'paid by the second',
      call({
        attempts: [
          attempt({
            price: { nanoUsdPerSecond: 310_000 },
            used: { ...used, workedMs: 1437 },
            costNanoUsd: 445_470,
          }),
        ],
        costNanoUsd: 445_470,
        savedNanoUsd: 1_114_530,
      }),
    ],
    [
      'with a cached part',
      call({
        attempts: [
          attempt({
            price: { ...cheap, cachedInputNanoUsdPerMillion: 30_000_000 },
            used: { ...used, cachedTokens: 400 },
            costNanoUsd: 342_000,
          }),
        ],
        costNanoUsd: 342_000,
        savedNanoUsd: 1_218_000,
      }),
    ],
    ['of no call', { msg: 'serving', costNanoUsd: 'much' }],
    ['of a call that was refused before it cost anything', { msg: 'call', requestId: 'req_2', attempts: [] }],
  ])('%s is agreed with', ([, line]) => {
    expect(reportOn(line).disagreements).toEqual([])
  })
})

describe('a line that says something else', () => {
  test.for<[string, JsonObject, readonly string[]]>([
    ['of the cost', call({ costNanoUsd: 450_001 }), ['costNanoUsd is 450001, recomputed 450000']],
    [
      'of the baseline',
      call({ baselineNanoUsd: 1_560_009 }),
      ['baselineNanoUsd is 1560009, recomputed 1560000'],
    ],
    ['of what was saved', call({ savedNanoUsd: 9_110_000 }), ['savedNanoUsd is 9110000, recomputed 1110000']],
    [
      'of an attempt',
      call({ attempts: [attempt({ costNanoUsd: 0 })] }),
      ['attempts[0].costNanoUsd is 0, recomputed 450000'],
    ],
    ['of what it guessed', call({ costEstimated: true }), ['costEstimated is true, recomputed false']],
    [
      'of what is not known',
      call({ attempts: [attempt({ price: undefined })], costNanoUsd: 0, savedNanoUsd: 1_560_000 }),
      [
        'attempts[0].costNanoUsd is 450000, recomputed unknown',
        'costNanoUsd is 0, recomputed unknown',
        'savedNanoUsd is 1560000, recomputed unknown',
      ],
    ],
    ['by leaving it out', call({ savedNanoUsd: undefined }), ['savedNanoUsd is unknown, recomputed 1110000']],
    [
      'by forgetting an attempt that failed',
      call({ attempts: [failed, attempt()] }),
      ['costNanoUsd is 450000, recomputed 900000', 'savedNanoUsd is 1110000, recomputed 660000'],
    ],
  ])('%s is reported, with its place', ([, line, found]) => {
    const place = 'line 2, req_1: '
    expect(reportOn('', line).disagreements).toEqual(found.map((each) => place + each))
  })

  test.for<[string, JsonObject, string]>([
    ['without attempts', call({ attempts: undefined }), 'attempts is not a list of attempts'],
    ['with an attempt that is none', call({ attempts: [null] }), 'attempts is not a list of attempts'],
    [
      'with an attempt nowhere',
      call({ attempts: [attempt({ deployment: 7 })] }),
      'attempts[0]: has no deployment',
    ],
    [
      'with half a usage',
      call({ attempts: [attempt({ used: { promptTokens: 1 } })] }),
      'attempts[0]: has an incomplete usage',
    ],
    [
      'with a broken count',
      call({ attempts: [attempt({ used: { ...used, promptTokens: 0.5 } })] }),
      'attempts[0]: promptTokens is not a whole number',
    ],
    [
      'with a negative price',
      call({ baseline: { deployment: 'a', price: { outputNanoUsdPerMillion: -1 } } }),
      'baseline: outputNanoUsdPerMillion is below 0',
    ],
    ['with a cost in words', call({ costNanoUsd: 'free' }), 'costNanoUsd is not a whole number'],
    [
      'with a time that is none',
      call({ baseline: { deployment: 'a', workedMs: 'long' } }),
      'baseline: has a workedMs that is not a duration',
    ],
  ])('or cannot be read is reported: %s', ([, line, told]) => {
    expect(reportOn(line).disagreements).toEqual([`line 1: ${told}`])
  })
})

describe('a line that the gateway itself wrote', () => {
  const broken = (kind: FailureKind) => fail(new Failure(kind, 'No.'))
  const prices = {
    a: { ...unknownPrice, inputNanoUsdPerMillion: 3e6, outputNanoUsdPerMillion: 5e6 },
    b: { ...unknownPrice, nanoUsdPerSecond: 310_000 },
  }
  const whole = bursts(textChunk('you', 'stop'), usageChunk(9, 4))

  test.for<[string, readonly ('a' | 'b')[], FailureKind, boolean]>([
    ['of a stream that was continued elsewhere', ['a', 'b'], 'interrupted', true],
    ['of a stream that was continued at its baseline’s price', ['b', 'a'], 'interrupted', true],
    ['of an attempt that may have been charged for', ['a', 'b'], 'timeout', false],
    ['of time that may have been charged for', ['b', 'a'], 'timeout', false],
  ])('%s is agreed with', async ([, [first, second], kind, isShown]) => {
    const shown = isShown ? bursts(textChunk('Hello ')) : []
    const upstreams = [
      upstreamNamed(first ?? '', [...shown, broken(kind)]),
      upstreamNamed(second ?? '', whole),
    ]
    const { stream, record, row } = serve(upstreams, {}, prices)
    const { bursts: opened, usage } = await stream(aCall({ stream: true }))
    await readAll(opened)
    await usage()
    record[Symbol.dispose]()
    expect(row.attempts).toHaveLength(2)
    expect(row.attempts.some(({ isResumed, isUncertain }) => isResumed || isUncertain)).toBe(true)
    expect(reportOn(lineOf(row)).disagreements).toEqual([])
  })

  test.for(['a', 'b'] as const)('of a race is agreed with (%s)', (name) => {
    const record = createRecorder([], timersClock, 1500).open('req_1', 'completions')
    const upstream = upstreamNamed(name, whole)
    const deployment = aDeployment(upstream, { price: prices[name] })
    openCallCost(deployment, record).follow(0, createMeter(aCall(), { count: async () => 0 }))
    openAttempt(attemptParts(upstream, { deployment, record })).fail(new Failure('superseded', 'Too late.'))
    record[Symbol.dispose]()
    expect(record.row.attempts).toMatchObject([{ outcome: 'superseded', isUncertain: true }])
    expect(reportOn(lineOf(record.row)).disagreements).toEqual([])
  })

  function lineOf(row: CallRecord): string {
    const lines: string[] = []
    const log = createLog('info', { write: (line) => lines.push(line) })
    createJournal(createCallLog(log), createGenerations()).write(row)
    return lines[0] ?? ''
  }
})

test('the report has each deployment’s part, and what all came to', () => {
  const report = reportOn(
    'the gateway has started',
    call(),
    call({ attempts: [failed, attempt()], costNanoUsd: 900_000, savedNanoUsd: 660_000 }),
    call({
      attempts: [attempt({ price: undefined, costNanoUsd: null, usageEstimated: true })],
      costNanoUsd: null,
      costEstimated: true,
      savedNanoUsd: null,
    }),
    { msg: 'call', attempts: [] },
  )
  expect(report.text()).toBe(`\
deployment     attempts  prompt  cached  completion          USD  estimated  unknown
qwen@baseten          1    1000       0         500  0.000450000          0        0
qwen@together         3    3000       0        1500  0.000900000          1        1

calls: 3; lines: 5; skipped, not JSON: 1
spent     0.001350000 USD; calls whose cost is not known: 1
baseline  0.003120000 USD; calls whose cost and baseline are known: 2
saved     0.001770000 USD of those (56.7 %)
Every line agrees with its usage and prices.
`)
})

test('what was spent beyond the baseline is a saving below 0', () => {
  const loss = call({
    attempts: [attempt({ price: dear, costNanoUsd: 1_560_000 })],
    costNanoUsd: 1_560_000,
    baseline: { deployment: 'qwen@together', price: cheap },
    baselineNanoUsd: 450_000,
    savedNanoUsd: -1_110_000,
  })
  // The baseline is the deployment that answered: its own attempt says what it costs.
  expect(reportOn(loss).disagreements).toHaveLength(2)
  const elsewhere = reportOn({ ...loss, baseline: { deployment: 'other', price: cheap } })
  expect(elsewhere.disagreements).toEqual([])
  expect(elsewhere.text()).toContain('saved     -0.001110000 USD of those (-246.6 %)')
})

describe('the command', () => {
  const log = (...lines: readonly JsonObject[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const run = (words: readonly string[], input = '') => {
    const environment = startFaster
    return startChild(process.execPath, [startFile, 'savings', ...words], { environment, input }).ended
  }

  test('reads standard input, and exits with 0 when all agree', async () => {
    const { code, stdout, stderr } = await run([], log(call(), call()))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('saved     0.002220000 USD')
  })

  test('reads a file, and exits with 1 when a line disagrees', async () => {
    await using directory = await temporary()
    const path = join(directory.path, 'gateway.log')
    await writeFile(path, log(call(), call({ savedNanoUsd: 5 })))
    const { code, stdout, stderr } = await run([path])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toContain('  line 2, req_1: savedNanoUsd is 5, recomputed 1110000\n')
  })

  test.for<[string, readonly string[], string]>([
    ['a file that is not there', ['no-such.log'], 'Cannot read the log: ENOENT'],
    ['two files', ['one.log', 'other.log'], 'npm run gateway'],
  ])('exits with 2 for %s', async ([, words, told]) => {
    const { code, stdout, stderr } = await run(words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
  })
})

async function temporary() {
  const path = await mkdtemp(join(tmpdir(), 'savings-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
