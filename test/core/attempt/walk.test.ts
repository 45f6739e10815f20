import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import {
  answering,
  aWalk,
  expectNothingLeft,
  outcomesOf,
  settled,
  upstreamNamed as upstream,
  walkPlan,
} from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  burst,
  bursts,
  fail,
  readAll,
  type Script,
  silence,
  textChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Whether the same deployment is retried, and whether another is tried. */
const kinds: Record<FailureKind, readonly [again: boolean, elsewhere: boolean]> = {
  invalid_request: [false, false],
  unauthorized: [false, false],
  not_found: [false, false],
  method_not_allowed: [false, false],
  not_implemented: [false, false],
  too_large: [false, false],
  unsupported_media: [false, false],
  forbidden: [false, false],
  revoked: [false, false],
  conflict: [false, false],
  quota_exhausted: [false, false],
  limit_reached: [false, false],
  key_reused: [false, false],
  caller_left: [false, false],
  superseded: [false, false],
  unsupported: [false, true],
  model_not_found: [false, true],
  rejected: [false, false],
  context_length: [false, false],
  content_filtered: [false, false],
  rate_limited: [true, true],
  overloaded: [true, true],
  busy: [false, true],
  upstream_error: [true, true],
  unreachable: [true, true],
  invalid_response: [true, true],
  interrupted: [true, true],
  timeout: [false, true],
  upstream_auth: [false, true],
  path_not_found: [false, true],
  shed: [false, false],
  draining: [false, false],
  internal: [false, false],
}

describe.for(Object.keys(kinds) as FailureKind[])('after %s', (kind) => {
  const [again, elsewhere] = kinds[kind]
  const failing = (): Script => [fail(new Failure(kind, `Failed: ${kind}.`))]

  test(`the same deployment is ${again ? '' : 'not '}retried`, async () => {
    const a = upstream('a', failing(), failing(), answering('a'))
    const parts = aWalk([a, a, a])
    const walking = settled(walkPlan(parts))
    await vi.runAllTimersAsync()
    expect(a.calls.length).toBe(again ? 3 : 1)
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(again ? [kind, kind, 'ok'] : [kind])
    expect(await walking).toMatchObject(again ? { text: 'a' } : { kind, message: `Failed: ${kind}.` })
    await expectNothingLeft(parts.signal, a)
  })

  test(`another deployment is ${elsewhere ? '' : 'not '}tried, at once`, async () => {
    const [a, b] = [upstream('a', failing()), upstream('b', answering('b'))]
    const parts = aWalk([a, b])
    const result = await settled(walkPlan(parts))
    expect([a.calls.length, b.calls.length]).toEqual([1, elsewhere ? 1 : 0])
    expect(result).toMatchObject(elsewhere ? { text: 'b' } : { kind })
    expect(parts.context.record.row.backoffMs).toBe(0)
    await expectNothingLeft(parts.signal, a, b)
  })

  test(`it is tried again ${again ? 'in its turn' : 'never'}, while others fail`, async () => {
    const [a, b] = [upstream('a', failing()), upstream('b', [fail(new Failure('overloaded', 'Busy.'))])]
    const parts = aWalk([a, b, a, b])
    const walking = settled(walkPlan(parts))
    await vi.runAllTimersAsync()
    await walking
    const expected = elsewhere ? (again ? 'a b a b' : 'a b b') : 'a'
    expect(parts.context.record.row.attempts.map(({ deployment }) => deployment.at(-1)).join(' ')).toBe(
      expected,
    )
    await expectNothingLeft(parts.signal, a, b)
  })
})

describe('an error that is not a Failure is an invalid response, and another deployment is tried', () => {
  test.for([
    new TypeError('a bug'),
    new TypeError('fetch failed'),
    new RangeError('a bug'),
    new Error('a bug'),
  ])('%s', async (bug) => {
    const [a, b] = [upstream('a', [fail(bug)]), upstream('b', answering('b'))]
    const parts = aWalk([a, b, a])
    expect(await settled(walkPlan(parts))).toEqual({ text: 'b' })
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['invalid_response', 'ok'])
    await expectNothingLeft(parts.signal, a)
  })
})

describe('at the end', () => {
  test('the last failure is reported, with its provider', async () => {
    const a = upstream('a', [fail(new Failure('overloaded', 'Busy.'))])
    const b = upstream('b', [fail(new Failure('upstream_auth', 'Our key.', { operatorNote: 'Look there.' }))])
    const parts = aWalk([a, b])
    await expect(walkPlan(parts)).rejects.toMatchObject({
      kind: 'upstream_auth',
      provider: 'b',
      operatorNote: 'Look there.',
    })
  })

  test('the record has each attempt in order, with its part', async () => {
    const a = upstream('a', [fail(new Failure('rate_limited', 'Slow down.'))], answering('a'))
    const b = upstream('b', [silence])
    const parts = { ...aWalk([a, b, a]), part: 4 }
    const walking = settled(walkPlan(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toMatchObject({ text: 'a' })
    expect(parts.context.record.row.attempts).toMatchObject([
      { deployment: 'm@a', part: 4, startMs: 0, totalMs: 0, outcome: 'rate_limited' },
      { deployment: 'm@b', part: 4, startMs: 0, totalMs: 600_000, outcome: 'timeout' },
      { deployment: 'm@a', part: 4, startMs: 600_000, totalMs: 0, outcome: 'ok' },
    ])
  })
})

describe('a stream', () => {
  const failure = new Failure('unreachable', 'Cut.')

  test('that breaks before its first visible delta starts over elsewhere, unseen', async () => {
    const a = upstream('a', [burst(textChunk('')), fail(failure)])
    const b = upstream('b', bursts(textChunk('b'), textChunk('', 'stop')))
    const parts = aWalk([a, b], { call: aCall({ stream: true }) })
    const answer = await walkPlan(parts)
    expect(answer.deployment.upstream).toBe(b)
    const deltas = await readAll(answer.bursts)
    expect(deltas.map(({ value: chunk }) => chunk.choices[0]?.text)).toEqual(['b', ''])
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['unreachable', 'ok'])
    await expectNothingLeft(parts.signal, a, b)
  })

  test('that breaks afterwards is reported, and nothing is retried', async () => {
    const [a, b] = [upstream('a', [...bursts(textChunk('a')), fail(failure)]), upstream('b', answering('b'))]
    const parts = aWalk([a, b, a], { call: aCall({ stream: true }) })
    const answer = await walkPlan(parts)
    await expect(readAll(answer.bursts)).rejects.toMatchObject({ kind: 'unreachable', provider: 'a' })
    await vi.runAllTimersAsync()
    expect([a.calls.length, b.calls.length]).toEqual([1, 0])
    await expectNothingLeft(parts.signal, a)
  })

  test('of a silent upstream is not retried there, but elsewhere', async () => {
    const [a, b] = [upstream('a', [silence]), upstream('b', [silence])]
    const parts = aWalk([a, b, a, b], { call: aCall({ stream: true }) })
    const walking = settled(walkPlan(parts))
    await vi.advanceTimersByTimeAsync(30_000)
    expect([a.calls.length, b.calls.length]).toEqual([1, 1])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await walking).toMatchObject({ kind: 'timeout', provider: 'b' })
    expect([a.calls.length, b.calls.length]).toEqual([1, 1])
    await expectNothingLeft(parts.signal, a, b)
  })
})
