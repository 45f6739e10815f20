import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure, type FailureDetail } from '../../src/core/failure.ts'
import { walk } from '../../src/core/walk.ts'
import { fail, type Script, type ScriptedUpstream, silence } from './scripted-upstream.ts'
import { answering, aWalk, expectNothingLeft, settled, upstreamNamed } from './trying.ts'

const start = 1_700_000_000_000

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the same deployment is asked again after a wait that doubles, and a little by chance', () => {
  test.for([
    [0, [200, 400, 800, 1600]],
    [0.5, [225, 450, 900, 1800]],
    [0.96, [248, 496, 992, 1984]],
  ] as const)('with chance at %d: after %j ms', async ([chance, waitsMs]) => {
    const a = upstreamNamed('a', [busy()])
    const parts = aWalk([a, a, a, a, a], { random: () => chance })
    const walking = settled(walk(parts))
    expect(await startsOf(a, walking)).toEqual(sums([0, ...waitsMs]))
    expect(parts.record.backoffMs).toBe(sums(waitsMs).at(-1))
    expect(await walking).toMatchObject({ kind: 'overloaded' })
    await expectNothingLeft(parts.signal, a)
  })

  test('by the delay of that deployment', async () => {
    const a = upstreamNamed('a', [busy()])
    const parts = aWalk([{ ...a, retry: { retries: 2, delayMs: 30 } }, a])
    expect(parts.plan.map(({ retry }) => retry.delayMs)).toEqual([30, 200])
    const deployment = parts.plan[0]
    const walking = settled(walk({ ...parts, plan: [deployment, deployment, deployment] }))
    expect(await startsOf(a, walking)).toEqual([0, 30, 90])
  })
})

describe('the upstream’s own word on when to come back', () => {
  test.for([
    ['longer than the wait', 3000, 3000],
    ['shorter than the wait', 50, 200],
    ['as long as any wait may be', 60_000, 60_000],
    ['at once', 0, 200],
  ] as const)('%s: %i ms make %i', async ([, retryAfterMs, waitMs]) => {
    const a = upstreamNamed('a', [busy({ retryAfterMs })], answering('a'))
    const parts = aWalk([a, a])
    const walking = settled(walk(parts))
    expect(await startsOf(a, walking)).toEqual([0, waitMs])
    expect(await walking).toEqual({ text: 'a' })
    await expectNothingLeft(parts.signal, a)
  })

  test.for([
    ['too long', 60_001, 3_600_000],
    ['past the deadline', 5000, 5000],
    ['far past the deadline', 50_000, 1000],
  ] as const)('%s is passed on at once', async ([, retryAfterMs, leftMs]) => {
    const a = upstreamNamed('a', [busy({ retryAfterMs })], answering('a'))
    const parts = aWalk([a, a], { deadlineAt: start + leftMs })
    await expect(walk(parts)).rejects.toMatchObject({ kind: 'overloaded', retryAfterMs, provider: 'a' })
    expect(Date.now()).toBe(start)
    expect(a.calls.length).toBe(1)
    expect(parts.record.backoffMs).toBe(0)
    await expectNothingLeft(parts.signal, a)
  })

  test('just in front of the deadline is kept', async () => {
    const a = upstreamNamed('a', [busy({ retryAfterMs: 4999 })], answering('a'))
    const walking = settled(walk(aWalk([a, a], { deadlineAt: start + 5000 })))
    expect(await startsOf(a, walking)).toEqual([0, 4999])
    expect(await walking).toEqual({ text: 'a' })
  })
})

describe('among several deployments', () => {
  test('a different one is asked at once, whatever the first said', async () => {
    const [a, b] = [
      upstreamNamed('a', [busy({ retryAfterMs: 3_600_000 })]),
      upstreamNamed('b', answering('b')),
    ]
    expect(await settled(walk(aWalk([a, b])))).toEqual({ text: 'b' })
    expect(Date.now()).toBe(start)
  })

  test('one that comes up again is asked no sooner than it would have been alone', async () => {
    const a = upstreamNamed('a', [busy({ retryAfterMs: 3000 })], [busy()], answering('a'))
    const b = upstreamNamed('b', [busy()])
    const parts = aWalk([a, b, a, b, a])
    const walking = settled(walk(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toEqual({ text: 'a' })
    expect(startsIn(parts)).toEqual([
      ['m@a', 0],
      ['m@b', 0],
      ['m@a', 3000],
      ['m@b', 3000],
      ['m@a', 3400],
    ])
    expect(parts.record.backoffMs).toBe(3400)
    await expectNothingLeft(parts.signal, a, b)
  })

  test('one that took its time has waited already', async () => {
    const a = upstreamNamed('a', [busy()], answering('a'))
    const b = upstreamNamed('b', [silence])
    const parts = aWalk([a, b, a])
    const walking = settled(walk(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toEqual({ text: 'a' })
    expect(startsIn(parts)).toEqual([
      ['m@a', 0],
      ['m@b', 0],
      ['m@a', 600_000],
    ])
    expect(parts.record.backoffMs).toBe(0)
  })

  test('one that would have to be waited for too long is passed over', async () => {
    const a = upstreamNamed('a', [busy({ retryAfterMs: 3_600_000 })])
    const b = upstreamNamed('b', [busy()], answering('b'))
    const parts = aWalk([a, b, a, b])
    const walking = settled(walk(parts))
    await vi.runAllTimersAsync()
    expect(await walking).toEqual({ text: 'b' })
    expect(startsIn(parts)).toEqual([
      ['m@a', 0],
      ['m@b', 0],
      ['m@b', 200],
    ])
  })
})

describe('the deadline', () => {
  test('that would pass in a wait ends the walk before it', async () => {
    const a = upstreamNamed('a', [busy()])
    const parts = aWalk([a, a, a, a], { deadlineAt: start + 600 })
    const walking = settled(walk(parts))
    expect(await startsOf(a, walking)).toEqual([0, 200])
    expect(await walking).toMatchObject({ kind: 'overloaded' })
    expect(Date.now()).toBe(start + 200)
    await expectNothingLeft(parts.signal, a)
  })

  test('that has passed leaves nobody to be asked', async () => {
    const [a, b] = [upstreamNamed('a', [silence]), upstreamNamed('b', answering('b'))]
    const parts = aWalk([a, b], { deadlineAt: start + 600 })
    const walking = settled(walk(parts))
    await vi.advanceTimersByTimeAsync(600)
    expect(await walking).toMatchObject({ kind: 'timeout', provider: 'a' })
    expect(b.calls.length).toBe(0)
    await expectNothingLeft(parts.signal, a)
  })
})

function busy(detail: FailureDetail = {}): Script[number] {
  return fail(new Failure('overloaded', 'Busy.', detail))
}

/** When an upstream was asked, in milliseconds since the start, once the walk is over. */
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

function startsIn({ record }: ReturnType<typeof aWalk>): readonly (readonly [string, number])[] {
  return record.attempts.map(({ deployment, startMs }) => [deployment, startMs])
}

function sums(values: readonly number[]): readonly number[] {
  let sum = 0
  return values.map((value) => {
    sum += value
    return sum
  })
}
