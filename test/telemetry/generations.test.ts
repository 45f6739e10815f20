import { expect, test } from 'vitest'
import { Failure } from '../../src/core/model/failure.ts'
import { type CallRecord, startRecord } from '../../src/core/model/record/record.ts'
import { createGenerations } from '../../src/telemetry/generations.ts'
import { createJournal } from '../../src/telemetry/journal.ts'
import type { KeptLinesSettings } from '../../src/telemetry/kept-lines.ts'
import { createCallLog, createLog } from '../../src/telemetry/log.ts'
import { anAttempt } from './attempt-record.ts'

const ids = ['req_1', 'req_2', 'req_3', 'req_4']

test('a call is found by its id', () => {
  const { write, find } = journal()
  write(aRecord('req_1', { model: 'm' }))
  expect(find('req_1')).toMatchObject({ call: { requestId: 'req_1', model: 'm' } })
  for (const id of ['req_2', 'req_', 'req_1"', 'req_12', '']) expect(find(id), id).toBeUndefined()
})

test('a call with an unusual id is found by it', () => {
  const { write, find } = journal()
  for (const id of ['a"b', 'é😀', '\\', '\ud800']) {
    write(aRecord(id))
    expect(find(id)?.call.requestId).toBe(id)
  }
})

test('the start of a call is returned', () => {
  const { write, find } = journal()
  write({ ...startRecord('req_1', 'chat', 1_700_000_000_123), owner: 'anyone' })
  expect(find('req_1')?.startedEpochMs).toBe(1_700_000_000_123)
})

test.for([
  ['key-1', 'key-1', true],
  ['key-1', 'key-2', false],
  ['key-1', 'anyone', false],
  ['anyone', 'key-1', false],
  ['anyone', 'anyone', true],
  // The short form for people does not identify the caller.
  ['abcdef0123456789', 'abcdef0199999999', false],
] as const)('a call of %s is found by %s: %s', ([owner, asking, isFound]) => {
  const { write, find } = journal()
  write(aRecord('req_1', { principal: 'key-abcdef01', owner }))
  expect(find('req_1', asking) !== undefined).toBe(isFound)
})

test('the oldest call is evicted, read or not', () => {
  const { write, find } = journal({ lines: 2, bytes: 10_000 })
  const kept: string[][] = []
  for (const id of ids) {
    write(aRecord(id))
    kept.push(ids.filter((each) => find(each) !== undefined))
  }
  expect(kept).toEqual([['req_1'], ['req_1', 'req_2'], ['req_2', 'req_3'], ['req_3', 'req_4']])
})

test('an owner of many calls does not evict those of an owner of few', () => {
  const { write, find } = journal({ lines: 20, bytes: 100_000 })
  for (const id of ['req_a', 'req_b']) write(aRecord(id, { owner: 'few' }))
  for (let at = 0; at < 500; at++) write(aRecord(`req_${at}`, { owner: 'many' }))
  for (const id of ['req_a', 'req_b']) expect(find(id, 'few')?.call.requestId).toBe(id)
  const found = Array.from({ length: 500 }, (_, at) => `req_${at}`).filter((id) => find(id, 'many'))
  expect(found.length).toBeGreaterThan(15)
  expect(found.length).toBeLessThanOrEqual(20)
  expect(find('req_499', 'many')).toBeDefined()
})

test('of two calls with one id the later is found', () => {
  const { write, find } = journal({ lines: 2, bytes: 10_000 })
  for (const model of ['a', 'b', 'c']) write(aRecord('req_1', { model }))
  expect(find('req_1')).toMatchObject({ call: { model: 'c' } })
})

test('at most ten thousand are kept', () => {
  const { write, find } = journal()
  for (let at = 0; at <= 10_000; at++) write(aRecord(`req_${at}`, { attempts: [anAttempt()] }))
  expect(find('req_0')).toBeUndefined()
  expect(find('req_1')).toBeDefined()
})

test.for([
  ['that failed', { outcome: 'left', failure: new Failure('caller_left', 'Left.') }, ['ok']],
  ['that raced another', {}, ['ok', 'ok']],
] as const)('an attempt that %s and outlives its call changes nothing', ([, change, outcomes]) => {
  const { write, find } = journal()
  const attempts = outcomes.map((outcome) => anAttempt({ outcome }))
  const record = aRecord('req_1', { ...change, attempts })
  write(record)
  for (const attempt of attempts) attempt.outcome = 'superseded'
  for (const names of [record.dropped, record.converted, record.flags]) names.add('usage_partial')
  const call = find('req_1')?.call
  expect(call?.attempts.map(({ outcome }) => outcome)).toEqual(outcomes)
  expect([call?.dropped, call?.converted, call?.flags]).toEqual([undefined, undefined, undefined])
})

test('unauthenticated calls do not evict others', () => {
  const { write, find } = journal({ lines: 1, bytes: 10_000 })
  write(aRecord('req_1', { owner: 'key-1' }))
  write(aRecord('req_2', { owner: '', failure: new Failure('unauthorized', 'No.'), outcome: 'failed' }))
  expect(find('req_1', 'key-1')).toBeDefined()
  expect(find('req_2')).toBeUndefined()
})

test('calls that are not logged are kept', () => {
  const { write, find } = journal(undefined, 'silent')
  write(aRecord('req_1'))
  expect(find('req_1')).toBeDefined()
})

function journal(settings?: KeptLinesSettings, level = 'info') {
  const generations = createGenerations(settings)
  const log = createLog(level, { write: () => {} })
  const { write } = createJournal(createCallLog(log), generations)
  return { write, find: (id: string, tenant = 'anyone') => generations.find(id, tenant) }
}

function aRecord(id: string, change: Partial<CallRecord> = {}): CallRecord {
  return { ...startRecord(id, 'chat'), owner: 'anyone', ...change }
}
