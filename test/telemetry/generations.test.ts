import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { unknownPrice } from '../../src/core/price.ts'
import { type AttemptRecord, type CallRecord, startRecord } from '../../src/core/record.ts'
import { createGenerations } from '../../src/telemetry/generations.ts'

const ids = ['req_1', 'req_2', 'req_3', 'req_4']

test('a call is found by its id', () => {
  const generations = createGenerations()
  generations.write(aRecord('req_1', { model: 'm' }))
  expect(generations.find('req_1', undefined)).toMatchObject({ id: 'req_1', model: 'm' })
  expect(generations.find('req_2', undefined)).toBeUndefined()
})

test.for([
  ['key-1', 'key-1', true],
  ['key-1', 'key-2', false],
  ['key-1', undefined, false],
  [undefined, 'key-1', false],
  [undefined, undefined, true],
] as const)('a call of %s is found by %s: %s', ([owner, asking, isFound]) => {
  const generations = createGenerations()
  generations.write(aRecord('req_1', { principal: owner }))
  expect(generations.find('req_1', asking) !== undefined).toBe(isFound)
})

test('the oldest call makes room, looked at or not', () => {
  const generations = createGenerations(2)
  const kept: string[][] = []
  for (const id of ids) {
    generations.write(aRecord(id))
    kept.push(ids.filter((each) => generations.find(each, undefined) !== undefined))
  }
  expect(kept).toEqual([['req_1'], ['req_1', 'req_2'], ['req_2', 'req_3'], ['req_3', 'req_4']])
})

test('of two calls by one id the later is found', () => {
  const generations = createGenerations(2)
  for (const model of ['a', 'b', 'c']) generations.write(aRecord('req_1', { model }))
  expect(generations.find('req_1', undefined)).toMatchObject({ model: 'c' })
})

test('ten thousand are kept, and no more', () => {
  const generations = createGenerations()
  for (let at = 0; at <= 10_000; at++) generations.write(aRecord(`req_${at}`))
  expect(generations.find('req_0', undefined)).toBeUndefined()
  expect(generations.find('req_1', undefined)).toBeDefined()
})

test('of a failure its kind and code are kept, and no words of anyone', () => {
  const generations = createGenerations()
  const failure = new Failure('upstream_error', 'secret words', { cause: new Error('secret cause') })
  generations.write(aRecord('req_1', { failure, outcome: 'failed' }))
  const found = generations.find('req_1', undefined)
  expect(found?.failure).toStrictEqual({ kind: 'upstream_error', code: 'upstream_error' })
})

test('nothing that is kept of a failed call leads to what was said', () => {
  const generations = createGenerations()
  const cause = Object.assign(new Error('secret cause'), { body: { prompt: 'secret prompt' } })
  const failure = new Failure('rejected', 'secret words', { cause, param: 'secret', operatorNote: 'secret' })
  generations.write(aRecord('req_1', { failure, outcome: 'failed', attempts: [anAttempt('rejected')] }))
  const found = generations.find('req_1', undefined)
  expect(inspect(found, { depth: null, showHidden: true })).not.toContain('secret')
})

test.for([
  ['that failed', { outcome: 'left', failure: new Failure('caller_left', 'Left.') }, ['ok']],
  ['that raced another', {}, ['ok', 'ok']],
] as const)('an attempt %s, and goes on after its call, changes nothing', ([, change, outcomes]) => {
  const generations = createGenerations()
  const attempts = outcomes.map(anAttempt)
  const record = aRecord('req_1', { ...change, attempts })
  generations.write(record)
  for (const attempt of attempts) attempt.outcome = 'superseded'
  for (const names of [record.dropped, record.converted, record.flags]) names.add('usage_partial')
  const found = generations.find('req_1', undefined)
  expect(found?.attempts.map(({ outcome }) => outcome)).toEqual(outcomes)
  expect([found?.dropped.size, found?.converted.size, found?.flags.size]).toEqual([0, 0, 0])
})

test('those who are not let in push nobody out', () => {
  const generations = createGenerations(1)
  generations.write(aRecord('req_1', { principal: 'key-1' }))
  generations.write(aRecord('req_2', { failure: new Failure('unauthorized', 'No.'), outcome: 'failed' }))
  expect(generations.find('req_1', 'key-1')).toBeDefined()
  expect(generations.find('req_2', undefined)).toBeUndefined()
})

test('every member of a record comes back as it was', () => {
  const record = aRecord('req_1', {
    kind: 'chat',
    status: 200,
    provider: 'pandotate',
    firstTokenMs: 0.1 + 0.2,
    attempts: [anAttempt('ok')],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, prompt_tokens_details: null },
    baseline: {
      deployment: '*@pandotate',
      price: { ...unknownPrice, inputNanoUsdPerMillion: 7 },
      workedMs: 1,
    },
    savedNanoUsd: -5,
    slow: true,
    dropped: new Set(['store']),
    converted: new Set(['messages to prompt', 'n to best_of']),
    flags: new Set(['usage_clamped']),
  })
  const generations = createGenerations()
  generations.write(record)
  expect(generations.find('req_1', undefined)).toEqual(record)
})

function aRecord(id: string, change: Partial<CallRecord> = {}): CallRecord {
  return { ...startRecord(id, 'chat'), ...change }
}

function anAttempt(outcome: string): AttemptRecord {
  return {
    deployment: 'm@one',
    part: 0,
    startMs: 0,
    headersMs: undefined,
    firstTokenMs: undefined,
    totalMs: 1,
    outcome,
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
    price: unknownPrice,
    used: undefined,
    isEstimated: false,
    isDelivered: true,
    isResumed: false,
    isUncertain: false,
    costNanoUsd: undefined,
  }
}
