import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRetryBudget } from '../../../src/core/health/retry-budget.ts'
import { Failure, type FailureDetail } from '../../../src/core/model/failure.ts'
import type { Plan } from '../../../src/core/plan/router.ts'
import {
  answering,
  aWalk,
  expectNothingLeft,
  settled,
  upstreamNamed,
  walkPlan,
} from '../../harness/core/attempt-walk.ts'
import {
  fail,
  type Script,
  type ScriptedUpstream,
  silence,
  timersClock,
} from '../../harness/scripted-upstream.ts'

const start = 1_700_000_000_000

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the same deployment is retried after a random wait, whose bound doubles', () => {
  test.for([
    [0, [0, 0, 0, 0]],
    [0.5, [200, 400, 800, 1600]],
    [0.75, [300, 600, 1200, 2400]],
  ] as const)('with a random number of %d: after %j ms', async ([chance, waitsMs]) => {
    const a = upstreamNamed('a', [busy()])
    const parts = aWalk([a, a, a, a, a], { random: () => chance })
    const walking = settled(walkPlan(parts))
    expect(await startsOf(a, walking)).toEqual(sums([0, ...waitsMs]))
    expect(parts.context.record.row.backoffMs).toBe(sums(waitsMs).at(-1))
    expect(await walking).toMatchObject({ kind: 'overloaded' })
    await expectNothingLeft(parts.signal, a)
  })

  test('with the delay of that deployment', async () => {
    const a = upstreamNamed('a', [busy()])
    const parts = aWalk([{ ...a, retry: { retries: 2, delayMs: 30 } }, a])
    expect(parts.plan.map(({ retry }) => retry.delayMs)).toEqual([30, 200])
    const deployment = parts.plan[0]
    const walking = settled(walkPlan({ ...parts, plan: [deployment, deployment, deployment] }))
    expect(await startsOf(a, walking)).toEqual([0, 30, 90])
  })
})

describe('the upstream’s Retry-After', () => {
  test.for([
    ['longer than the wait', 3000, 3000],
    ['shorter than the wait', 50, 200],
    ['the longest allowed wait', 60_000, 60_000],
    ['at once', 0, 200],
  ] as const)('%s: %i ms become %i', async ([, retryAfterMs, waitMs]) => {
    const a = upstreamNamed('a', [busy({ retryAfterMs })], answering('a'))
    const parts = aWalk([a, a])
    const walking = settled(walkPlan(parts))
    expect(await startsOf(a, walking)).toEqual([0, waitMs])
    expect(await walking).toEqual({ text: 'a' })
    await expectNothingLeft(parts.signal, a)
  })

  test.for([
    ['too long', 60_001, 3_600_000],
    ['past the deadline', 5000, 5000],
    ['far past the deadline', 50_000, 1000],
  ] as const)('%s is forwarded at once', async ([, retryAfterMs, leftMs]) => {
    const a = upstreamNamed('a', [busy({ retryAfterMs })], answering('a'))
    const parts = aWalk([a, a], { deadlineAt: start + leftMs })
    await expect(walkPlan(parts)).rejects.toMatchObject({ kind: 'overloaded', retryAfterMs, provider: 'a' })
    expect(Date.now()).toBe(start)
    expect(a.calls.length).toBe(1)
    expect(parts.context.record.row.backoffMs).toBe(0)
    await expectNothingLeft(parts.signal, a)
  })

  test('just before the deadline is respected', async () => {
    const a = upstreamNamed('a', [busy({ retryAfterMs: 4999 })], answering('a'))
    const walking = settled(walkPlan(aWalk([a, a], { deadlineAt: start + 5000 })))
    expect(await startsOf(a, walking)).toEqual([0, 4999])
    expect(await walking).toEqual({ text: 'a' })
  })
})

describe('among several deployments', () => {
  test('a different one is tried at once, regardless of the first', async () => {
    const [a, b] = [
      upstreamNamed('a', [busy({ retryAfterMs: 3_600_000 })]),
      upstreamNamed('b', answering('b')),
    ]
    expect(await settled(walkPlan(aWalk([a, b])))).toEqual({ text: 'b' })
    expect(Date.now()).toBe(start)
  })

  test('a repeated one is tried no earlier than it would be alone', async () => {
    const a = upstreamNamed('a', [busy({ retryAfterMs: 3000 })], [busy()], answering('a'))
    const b = upstreamNamed('b', [busy()])
    const parts = aWalk([a, b, a, b, a])
    const walking = settled(walkPlan(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toEqual({ text: 'a' })
    expect(startsIn(parts)).toEqual([
      ['m@a', 0],
      ['m@b', 0],
      ['m@a', 3000],
      ['m@b', 3000],
      ['m@a', 3400],
    ])
    expect(parts.context.record.row.backoffMs).toBe(3400)
    await expectNothingLeft(parts.signal, a, b)
  })

  test('the duration of an attempt counts as waiting', async () => {
    const a = upstreamNamed('a', [busy()], answering('a'))
    const b = upstreamNamed('b', [silence])
    const parts = aWalk([a, b, a])
    const walking = settled(walkPlan(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toEqual({ text: 'a' })
    expect(startsIn(parts)).toEqual([
      ['m@a', 0],
      ['m@b', 0],
      ['m@a', 600_000],
    ])
    expect(parts.context.record.row.backoffMs).toBe(0)
  })

  test('one with too long a wait is skipped', async () => {
    const a = upstreamNamed('a', [busy({ retryAfterMs: 3_600_000 })])
    const b = upstreamNamed('b', [busy()], answering('b'))
    const parts = aWalk([a, b, a, b])
    const walking = settled(walkPlan(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toEqual({ text: 'b' })
    expect(startsIn(parts)).toEqual([
      ['m@a', 0],
      ['m@b', 0],
      ['m@b', 200],
    ])
  })
})

describe('a prompt that is too long', () => {
  const tooLong = [fail(new Failure('context_length', 'Too long.'))]
  test.for([
    ['a twin', 8000, 8000, false],
    ['a smaller one', 8000, 4000, false],
    ['one that holds more', 8000, 32_000, true],
    ['one of which nothing is known', 8000, undefined, false],
    ['any, if the first one’s limit is unknown', undefined, 32_000, false],
  ] as const)('%s: of %d tokens, and of %d', async ([, first, second, isAsked]) => {
    const a = upstreamNamed('a', tooLong)
    const b = upstreamNamed('b', answering('b'))
    const parts = aWalk([a, b])
    const [one, other] = parts.plan
    if (other === undefined) throw new Error('There are two.')
    const plan: Plan = [
      { ...one, traits: { contextTokens: first } },
      { ...other, traits: { contextTokens: second } },
    ]
    const outcome = await settled(walkPlan({ ...parts, plan }))
    expect(outcome).toMatchObject(isAsked ? { text: 'b' } : { kind: 'context_length' })
    expect(b.calls.length).toBe(isAsked ? 1 : 0)
  })
})

describe('the retry budget', () => {
  const budgetOf = (least: number) => createRetryBudget({ share: 0, least }, timersClock)

  test('ends the walk when it is used up', async () => {
    const a = upstreamNamed('a', [busy()])
    const walking = settled(walkPlan(aWalk([a, a, a, a], { retryBudget: budgetOf(2) })))
    expect(await startsOf(a, walking)).toEqual([0, 200, 600])
    expect(await walking).toMatchObject({ kind: 'overloaded' })
  })

  test('is not used for another deployment', async () => {
    const a = upstreamNamed('a', [busy()])
    const b = upstreamNamed('b', answering('b'))
    const walking = settled(walkPlan(aWalk([a, a, b], { retryBudget: budgetOf(0) })))
    expect(await walking).toEqual({ text: 'b' })
    expect(a.calls.length).toBe(1)
  })
})

describe('the deadline', () => {
  test('that would pass during a wait ends the walk before it', async () => {
    const a = upstreamNamed('a', [busy()])
    const parts = aWalk([a, a, a, a], { deadlineAt: start + 600 })
    const walking = settled(walkPlan(parts))
    expect(await startsOf(a, walking)).toEqual([0, 200])
    expect(await walking).toMatchObject({ kind: 'overloaded' })
    expect(Date.now()).toBe(start + 200)
    await expectNothingLeft(parts.signal, a)
  })

  test('that has passed allows no attempt', async () => {
    const a = upstreamNamed('a', [silence])
    const parts = aWalk([a, a], { deadlineAt: start + 600 })
    const walking = settled(walkPlan(parts))
    await vi.advanceTimersByTimeAsync(600)
    expect(await walking).toMatchObject({ kind: 'timeout', provider: 'a' })
    expect(a.calls.length).toBe(1)
    await expectNothingLeft(parts.signal, a)
  })
})

function busy(detail: FailureDetail = {}): Script[number] {
  return fail(new Failure('overloaded', 'Busy.', detail))
}

/** When an upstream got requests, in milliseconds since the start, once the walk is over. */
async function startsOf({ calls }: ScriptedUpstream, walking: Promise<unknown>): Promise<readonly number[]> {
  const starts: number[] = []
  const noteStarts = () => {
    while (starts.length < calls.length) starts.push(Date.now() - start)
  }
  let over = false
  const ended = walking.then(() => {
    over = true
  })
  await vi.advanceTimersByTimeAsync(0)
  noteStarts()
  while (!over) {
    await vi.advanceTimersToNextTimerAsync()
    noteStarts()
  }
  await ended
  return starts
}

function startsIn({ context }: ReturnType<typeof aWalk>): readonly (readonly [string, number])[] {
  return context.record.row.attempts.map(({ deployment, startMs }) => [deployment, startMs])
}

function sums(values: readonly number[]): readonly number[] {
  let sum = 0
  return values.map((value) => {
    sum += value
    return sum
  })
}
