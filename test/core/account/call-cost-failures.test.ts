import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openCallCost } from '../../../src/core/account/call-cost.ts'
import { createMeter } from '../../../src/core/account/meter.ts'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import { openAttempt } from '../../../src/core/attempt/open-attempt.ts'
import { Failure, type FailureDetail, type FailureKind } from '../../../src/core/model/failure.ts'
import type { AttemptNotes } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import { attemptParts, upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { serve } from '../../harness/core/core-gateway.ts'
import {
  aCall,
  act,
  aDeployment,
  burst,
  chatChunk,
  fail,
  pause,
  readAll,
  type Script,
  scriptedUpstream,
  silence,
  textChunk,
  timersClock,
  usage,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Nano-USD per token, in and out; and per second. */
const tokens: Price = { ...unknownPrice, inputNanoUsdPerMillion: 3e6, outputNanoUsdPerMillion: 5e6 }
const seconds: Price = { ...unknownPrice, nanoUsdPerSecond: 310_000 }

/** "Say hello.", estimated from its characters. */
const promptTokens = 2
/** The duration of every attempt here. */
const tookMs = 1000

type Told = { readonly isEstimated: boolean; readonly isUncertain: boolean }
const surely: Told = { isEstimated: false, isUncertain: false }
const perhaps: Told = { isEstimated: true, isUncertain: true }
const nearly: Told = { isEstimated: true, isUncertain: false }

type Case = readonly [
  kind: FailureKind,
  notes: Partial<AttemptNotes>,
  detail: FailureDetail,
  cost: number | undefined,
  told: Told,
]

const unsent = { isUnsent: true } as const
const answered = { headersAt: 1 } as const
const worked = { headersAt: 1, billedMs: 2500 } as const

describe.for<[string, Price, readonly Case[]]>([
  [
    'by the token',
    tokens,
    [
      ['timeout', {}, {}, 3 * promptTokens, perhaps],
      ['interrupted', answered, {}, 3 * promptTokens, perhaps],
      ['upstream_error', answered, {}, 3 * promptTokens, perhaps],
      ['unreachable', {}, { mayBeBilled: true }, 3 * promptTokens, perhaps],
      ['unreachable', unsent, { mayBeBilled: false }, 0, surely],
      ['timeout', unsent, {}, 0, surely],
      ['rate_limited', answered, {}, 0, surely],
      ['upstream_auth', answered, {}, 0, surely],
      ['rejected', answered, {}, 0, surely],
      ['overloaded', worked, {}, 0, surely],
    ],
  ],
  [
    'by the second',
    seconds,
    [
      ['timeout', {}, {}, 310_000, perhaps],
      ['interrupted', answered, {}, 310_000, perhaps],
      ['upstream_error', worked, {}, 775_000, surely],
      ['rejected', worked, {}, 775_000, surely],
      ['overloaded', worked, {}, 775_000, surely],
      ['timeout', unsent, {}, 0, surely],
      ['unreachable', unsent, { mayBeBilled: false }, 0, surely],
      // A machine may have worked on it, but unknown work is not charged.
      ['rejected', answered, {}, 0, nearly],
      ['overloaded', answered, {}, 0, nearly],
    ],
  ],
  [
    'at a price that is not known',
    unknownPrice,
    [
      ['timeout', {}, {}, undefined, perhaps],
      ['rejected', worked, {}, undefined, surely],
      ['rejected', answered, {}, 0, surely],
      ['unreachable', unsent, { mayBeBilled: false }, 0, surely],
    ],
  ],
])('an attempt that failed before the caller saw anything, billed %s', ([, price, cases]) => {
  test.for(cases)('of %s (%j, %j) costs %o', async ([kind, notes, detail, cost, told]) => {
    const { reply, record, row } = serve([upstreamNamed('a', failing(kind, notes, detail))], {}, { a: price })
    const rejection = expect(reply(aCall())).rejects.toMatchObject({ kind })
    await vi.advanceTimersByTimeAsync(10_000)
    await rejection
    record[Symbol.dispose]()
    const [entry] = row.attempts
    expect(entry).toMatchObject({ outcome: kind, isDelivered: false, totalMs: tookMs, ...told })
    expect(entry?.costNanoUsd).toBe(cost)
    expect(row.costNanoUsd).toBe(cost === undefined ? undefined : cost * row.attempts.length)
    // An assumed zero does not mark the whole cost as estimated.
    expect(row.costEstimated).toBe(told.isUncertain || (told.isEstimated && cost !== 0))
  })
})

describe('the delivered part of a broken answer, billed per second', () => {
  test.for<[string, Partial<AttemptNotes>, number, boolean]>([
    ['is billed by the reported time', { billedMs: 2500 }, 775_000, false],
    ['is at least its duration if no time was reported, and the rest is uncertain', {}, 310_000, true],
  ])('%s', async ([, notes, cost, isEstimated]) => {
    const script = [burst(textChunk('Hello')), ...failing('interrupted', notes)]
    const { stream, record, row } = serve([upstreamNamed('a', script)], {}, { a: seconds })
    const { bursts } = await stream(aCall({ stream: true }))
    const rejection = expect(readAll(bursts)).rejects.toMatchObject({ kind: 'interrupted' })
    await vi.advanceTimersByTimeAsync(tookMs)
    await rejection
    record[Symbol.dispose]()
    expect(row.attempts).toMatchObject([{ costNanoUsd: cost, isEstimated, isUncertain: isEstimated }])
    expect(row.attempts[0]?.used?.completionTokens).toBeGreaterThan(0)
  })
})

test('an answer without usage has an exact cost if its time was reported', async () => {
  const script = [act(({ notes }) => Object.assign(notes, worked)), burst(textChunk('Hello', 'stop'))]
  const { reply, row } = serve([upstreamNamed('a', script)], {}, { a: seconds })
  await reply(aCall())
  expect(row).toMatchObject({ costNanoUsd: 775_000, costEstimated: false, usageEstimated: true })
})

describe('usage that is reported during an answer', () => {
  const soFar = { ...chatChunk({ content: 'Hi' }), usage: usage(10, 1) }
  const atTheEnd = { ...chatChunk({ content: '!' }, 'stop'), usage: usage(10, 2) }
  const cut = failing('interrupted', {})
  const chat = aCall({ kind: 'chat', stream: true })

  test.for<[string, Script, boolean]>([
    ['is partial if the answer breaks off', [burst(soFar), ...cut], true],
    ['is complete if it breaks off after its end', [burst(soFar, atTheEnd), ...cut], false],
    ['is complete if it ends', [burst(soFar, atTheEnd)], false],
  ])('%s', async ([, script, isPart]) => {
    const needsDone = { ...upstreamNamed('a', script), needsDone: true }
    const { stream, record, row } = serve([needsDone], {}, { a: tokens })
    const reading = readAll((await stream(chat)).bursts).catch(() => undefined)
    await vi.advanceTimersByTimeAsync(tookMs)
    await reading
    record[Symbol.dispose]()
    expect(row.attempts).toMatchObject([{ used: { promptTokens: 10 }, isEstimated: isPart }])
    expect(row).toMatchObject({ costEstimated: isPart })
    expect([...row.flags]).toEqual(isPart ? ['usage_partial'] : [])
  })

  test('is partial if the caller left', async () => {
    const { caller, stream, record, row } = serve(
      [upstreamNamed('a', [burst(soFar), silence])],
      {},
      { a: tokens },
    )
    const reading = readAll((await stream(chat)).bursts).catch(() => undefined)
    caller.leave()
    await reading
    record[Symbol.dispose]()
    expect(row.attempts).toMatchObject([
      { outcome: 'caller_left', used: { completionTokens: 1 }, isEstimated: true, costNanoUsd: 35 },
    ])
    expect(row.costEstimated).toBe(true)
  })

  test('is partial if the answer was cut here', async () => {
    const upstream = scriptedUpstream([[burst(soFar, { ...chatChunk({ content: 'END and' }) }), silence]], {
      name: 'a',
      mostStops: 0,
    })
    const { stream, row } = serve([upstream], {}, { a: tokens })
    const body = chat.body.with({ stop: ['END'] })
    const { bursts, usage: told } = await stream({ ...chat, body })
    await readAll(bursts)
    await told()
    expect(row.attempts).toMatchObject([{ outcome: 'ok', used: { completionTokens: 1 }, isEstimated: true }])
  })
})

describe('an impossible count', () => {
  test.for([1e21, -4, 1.5, 100_000_001])('(%o) is counted here, and marked', async (absurd) => {
    const claimed = { ...usage(3, 4), completion_tokens: absurd, total_tokens: absurd }
    const answer = { ...textChunk('Hello', 'stop'), usage: claimed }
    const upstreams = ['a', 'b'].map((name) => upstreamNamed(name, [burst(answer)]))
    const { gateway, reply, row } = serve(upstreams, {}, { a: tokens })
    const before = gateway.explain(aCall()).expectedCompletionTokens
    await reply(aCall())
    expect(row.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 })
    expect(row).toMatchObject({ usageEstimated: true, costEstimated: true, costNanoUsd: 3 * 3 + 5 * 5 })
    expect([...row.flags]).toEqual(['usage_clamped'])
    expect(gateway.explain(aCall()).expectedCompletionTokens).toBeLessThan(before)
  })
})

test('a part that is cancelled because another failed used its prompt', async () => {
  const refusal = [pause(10), fail(new Failure('rejected', 'Not that.'))]
  const upstream = scriptedUpstream([[silence], refusal], {
    name: 'a',
    oneChoice: { text: true, chat: false },
  })
  const { reply, record, row } = serve([upstream], {}, { a: tokens })
  const prompt = ['Say hello.', 'Say it.']
  const rejection = expect(reply(aCall({ body: { prompt } }))).rejects.toMatchObject({ kind: 'rejected' })
  await vi.advanceTimersByTimeAsync(10)
  await rejection
  record[Symbol.dispose]()
  expect(row.attempts).toMatchObject([
    { outcome: 'superseded', ...perhaps, costNanoUsd: 3 * promptTokens },
    { outcome: 'rejected', ...surely, costNanoUsd: 0 },
  ])
})

test('an attempt that outlives its call is paid for like a lost hedge', () => {
  const record = createRecorder([], timersClock, 1500).open('req_1', 'completions')
  const upstream = upstreamNamed('a', [silence])
  const deployment = aDeployment(upstream, { price: tokens })
  openCallCost(deployment, record).follow(0, createMeter(aCall(), { count: async () => 0 }))
  openAttempt(attemptParts(upstream, { deployment, record }))
  vi.advanceTimersByTime(tookMs)
  record[Symbol.dispose]()
  expect(record.row.attempts).toMatchObject([
    { outcome: 'superseded', totalMs: tookMs, ...perhaps, costNanoUsd: 3 * promptTokens },
  ])
  expect(record.row).toMatchObject({ costNanoUsd: 3 * promptTokens, costEstimated: true })
})

function failing(kind: FailureKind, notes: Partial<AttemptNotes>, detail: FailureDetail = {}): Script {
  return [
    act((attempt) => Object.assign(attempt.notes, notes)),
    pause(tookMs),
    fail(new Failure(kind, 'No.', { provider: 'a', ...detail })),
  ]
}
