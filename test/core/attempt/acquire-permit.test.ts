import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import { createQueue } from '../../../src/core/health/queue.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Queue } from '../../../src/core/model/ports.ts'
import {
  aCaller,
  answering,
  aWalk,
  expectNothingLeft,
  settled,
  turn,
  upstreamNamed,
  walkPlan,
} from '../../harness/core/attempt-walk.ts'
import { fail, pause, type Script, silence, timersClock } from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

function limited(name: string, queue: Queue, ...scripts: readonly [Script, ...Script[]]) {
  return Object.assign(upstreamNamed(name, ...scripts), { queue })
}

function oneAtATime(queueMs = 1000): Queue {
  return createQueue({ concurrency: 1, queueMs, queueLimit: 10 })
}

const slowly: Script = [pause(400), ...answering('slow')]

test('a call that finds a place is sent at once, and returns the place when its answer is complete', async () => {
  const queue = oneAtATime()
  const a = limited('a', queue, slowly)
  const parts = aWalk([a])
  const walking = settled(walkPlan(parts))
  expect([a.calls.length, queue.read()]).toEqual([1, { running: 1, waiting: 0 }])
  await vi.advanceTimersByTimeAsync(400)
  expect(await walking).toEqual({ text: 'slow' })
  expect(queue.read()).toEqual({ running: 0, waiting: 0 })
  expect(parts.context.record.row.attempts[0]?.queuedMs).toBeUndefined()
  await expectNothingLeft(parts.signal, a)
})

test('a wait in the queue counts neither as the upstream’s time nor for its clocks', async () => {
  const queue = oneAtATime()
  const a = limited('a', queue, slowly)
  const clocks = { connectMs: 500, firstTokenMs: 500, idleMs: 500, totalMs: 500 }
  const first = settled(walkPlan(aWalk([{ ...a, clocks }])))
  const ended: unknown[] = []
  const parts = aWalk([{ ...a, clocks }])
  const standings = createHealthRegistry(['m@a'], timersClock, () => 0.5)
  const trackOf: typeof standings.trackOf = (place) => {
    const track = standings.trackOf(place)
    const begin = () => {
      const permit = track.begin()
      return permit && Object.assign(permit, { end: (ending: unknown) => ended.push(ending) })
    }
    return { ...track, begin }
  }
  const second = settled(
    walkPlan({ ...parts, context: { ...parts.context, standings: { ...standings, trackOf } } }),
  )
  await vi.advanceTimersByTimeAsync(800)
  expect([await first, await second]).toEqual([{ text: 'slow' }, { text: 'slow' }])
  expect(parts.context.record.row.attempts).toMatchObject([
    { outcome: 'ok', startMs: 400, queuedMs: 400, firstTokenMs: 400, totalMs: 400 },
  ])
  expect(ended).toMatchObject([{ durationMs: 400 }])
  expect(queue.read()).toEqual({ running: 0, waiting: 0 })
})

describe('a wait without success', () => {
  test('sends the call elsewhere at once, without affecting health', async () => {
    const queue = oneAtATime(300)
    expect(queue.enter()).toBe(true)
    const [a, b] = [limited('a', queue, answering('a')), upstreamNamed('b', answering('b'))]
    const standings = createHealthRegistry(['m@a', 'm@b'], timersClock, () => 0.5)
    const parts = aWalk([a, b, a], { standings })
    const walking = settled(walkPlan(parts))
    await vi.advanceTimersByTimeAsync(300)
    expect(await walking).toEqual({ text: 'b' })
    expect(parts.context.record.row).toMatchObject({
      backoffMs: 0,
      attempts: [
        { deployment: 'm@a', outcome: 'busy', startMs: 300, queuedMs: 300, totalMs: 0 },
        { deployment: 'm@b', outcome: 'ok', startMs: 300 },
      ],
    })
    expect(a.calls).toEqual([])
    expect(standings.snapshot()[0]).toMatchObject({ attempts: 0, inFlight: 0, share: 1, limited: 0 })
    await expectNothingLeft(parts.signal, a, b)
  })

  test('is reported to a caller without another deployment', async () => {
    const queue = oneAtATime(300)
    queue.enter()
    const a = limited('a', queue, answering('a'))
    const parts = aWalk([a, a])
    const walking = settled(walkPlan(parts))
    await vi.advanceTimersByTimeAsync(300)
    expect(await walking).toMatchObject({ kind: 'busy', provider: 'a', status: 503, retryAfterMs: 1000 })
    expect(parts.context.record.row.attempts.length).toBe(1)
  })
})

describe('a caller that leaves', () => {
  test('while waiting leaves the queue at once, and nothing is sent', async () => {
    const queue = oneAtATime()
    queue.enter()
    const a = limited('a', queue, answering('a'))
    const caller = aCaller()
    const parts = aWalk([a], { signal: caller.signal })
    const walking = settled(walkPlan(parts))
    expect(queue.read().waiting).toBe(1)
    caller.leave()
    expect(queue.read().waiting).toBe(0)
    expect(await walking).toBe(caller.reason)
    expect([a.calls, parts.context.record.row.attempts]).toEqual([[], []])
    await expectNothingLeft(caller.signal)
  })

  test('just as a place becomes free passes it on', async () => {
    const queue = oneAtATime()
    queue.enter()
    const a = limited('a', queue, answering('a'))
    const caller = aCaller()
    const walking = settled(walkPlan(aWalk([a], { signal: caller.signal })))
    queue.leave()
    caller.leave()
    expect(await walking).toBe(caller.reason)
    expect([a.calls, queue.read()]).toEqual([[], { running: 0, waiting: 0 }])
  })

  test('before the first attempt takes neither a place nor a permit', async () => {
    const queue = oneAtATime()
    const caller = aCaller()
    caller.leave()
    const standings = createHealthRegistry(['m@a'], timersClock, () => 0.5)
    const parts = aWalk([limited('a', queue, answering('a'))], { signal: caller.signal, standings })
    expect(await settled(walkPlan(parts))).toBe(caller.reason)
    expect([queue.read().running, standings.snapshot()[0]?.inFlight]).toEqual([0, 0])
  })

  test('during an answer returns the place', async () => {
    const queue = oneAtATime()
    const caller = aCaller()
    const walking = settled(walkPlan(aWalk([limited('a', queue, [silence])], { signal: caller.signal })))
    await turn()
    expect(queue.read().running).toBe(1)
    caller.leave()
    expect(await walking).toBe(caller.reason)
    expect(queue.read().running).toBe(0)
  })
})

test('a place is returned after a failure, before the next attempt', async () => {
  const queue = oneAtATime()
  const a = limited('a', queue, [fail(new Failure('overloaded', 'Busy.'))], answering('a'))
  const parts = aWalk([a, a])
  const walking = settled(walkPlan(parts))
  await vi.runAllTimersAsync()
  expect(await walking).toEqual({ text: 'a' })
  expect(queue.read()).toEqual({ running: 0, waiting: 0 })
})

test('a call that waited for an upstream whose breaker then opened goes elsewhere', async () => {
  const queue = oneAtATime()
  queue.enter()
  const [a, b] = [limited('a', queue, answering('a')), upstreamNamed('b', answering('b'))]
  const standings = createHealthRegistry(['m@a', 'm@b'], timersClock, () => 0.5)
  const walking = settled(walkPlan(aWalk([a, b], { standings })))
  const failure = new Failure('overloaded', 'Busy.')
  for (let times = 0; times < 5; times++) {
    standings
      .trackOf({ id: 'm@a' })
      .insist()
      .end({ failure, firstTokenMs: undefined, completionTokens: undefined, durationMs: 1 })
  }
  queue.leave()
  expect(await walking).toEqual({ text: 'b' })
  expect([a.calls.length, b.calls.length, queue.read()]).toEqual([0, 1, { running: 0, waiting: 0 }])
})
