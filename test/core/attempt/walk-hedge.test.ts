import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Answer, attempt } from '../../../src/core/attempt/attempt.ts'
import { type Hedging, type WalkParts, walk } from '../../../src/core/attempt/walk.ts'
import { abandonAnswer } from '../../../src/core/gateway.ts'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import { createRetryBudget } from '../../../src/core/health/retry-budget.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import {
  aCaller,
  aWalk,
  expectNothingLeft,
  outcomesOf,
  settled,
  upstreamNamed,
} from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  bursts,
  fail,
  pause,
  type Script,
  type ScriptedUpstream,
  silence,
  textChunk,
  timersClock,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const call = aCall({ stream: true })
/** The 95th percentile of the first-token times of `a`. */
const usualMs = 100

function answeringAfter(ms: number, text: string): Script {
  return [pause(ms), ...bursts(textChunk(text), textChunk('', 'stop'))]
}

describe('a stream that is slow to begin', () => {
  test('is hedged at another deployment: the first answer wins, the other is cancelled', async () => {
    const a = upstreamNamed('a', answeringAfter(10_000, 'a'))
    const b = upstreamNamed('b', answeringAfter(50, 'b'))
    const { walking, parts } = hedged([a, b])
    await vi.advanceTimersByTimeAsync(usualMs + 50)
    expect(await walking).toEqual({ text: 'b' })
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['superseded', 'ok'])
    expect(parts.context.record.row.attempts.map(({ isDelivered }) => isDelivered)).toEqual([false, true])
    expect(parts.context.record.row.attempts[1]?.startMs).toBe(usualMs)
    expect(a.calls[0]?.finalised).toBe(true)
  })

  test('may still win', async () => {
    const a = upstreamNamed('a', answeringAfter(usualMs + 20, 'a'))
    const b = upstreamNamed('b', answeringAfter(50, 'b'))
    const { walking, parts } = hedged([a, b])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await walking).toEqual({ text: 'a' })
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['ok', 'superseded'])
  })

  test('does not affect health when cancelled', async () => {
    const a = upstreamNamed('a', [silence])
    const b = upstreamNamed('b', answeringAfter(0, 'b'))
    const { walking, standings } = hedged([a, b])
    await vi.advanceTimersByTimeAsync(1000)
    await walking
    expect(standings.snapshot()).toMatchObject([
      { id: 'm@a', failed: 0, inFlight: 0, breaker: 'closed' },
      { id: 'm@b', failed: 0, answered: 1, inFlight: 0 },
    ])
  })

  test('is not hedged if it is in time', async () => {
    const a = upstreamNamed('a', answeringAfter(usualMs - 1, 'a'))
    const b = upstreamNamed('b', answeringAfter(0, 'b'))
    const { walking } = hedged([a, b])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await walking).toEqual({ text: 'a' })
    expect(b.calls).toEqual([])
  })

  test.for<[string, (scene: { a: ScriptedUpstream; b: ScriptedUpstream }) => Scene]>([
    ['where there is nowhere else', ({ a }) => hedged([a, a])],
    ['where the budget is spent', ({ a, b }) => hedged([a, b], 0)],
    ['before it is known what is slow', ({ a, b }) => hedged([a, b], 9, 19)],
  ])('is not hedged: %s', async ([, walkIn]) => {
    const a = upstreamNamed('a', answeringAfter(5000, 'a'))
    const b = upstreamNamed('b', answeringAfter(0, 'b'))
    const { walking } = walkIn({ a, b })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await walking).toEqual({ text: 'a' })
    expect([a.calls.length, b.calls.length]).toEqual([1, 0])
  })

  test('is awaited if the other fails, and the other is not retried', async () => {
    const a = upstreamNamed('a', answeringAfter(1000, 'a'))
    const b = upstreamNamed('b', [fail(new Failure('upstream_error', 'No.'))])
    const { walking } = hedged([a, b])
    await vi.advanceTimersByTimeAsync(2000)
    expect(await walking).toEqual({ text: 'a' })
    expect(b.calls).toHaveLength(1)
  })

  test('moves on if both fail', async () => {
    const no = [pause(150), fail(new Failure('upstream_error', 'No.'))]
    const [a, b] = [upstreamNamed('a', no), upstreamNamed('b', no)]
    const c = upstreamNamed('c', answeringAfter(0, 'c'))
    const { walking } = hedged([a, b, c])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await walking).toEqual({ text: 'c' })
  })

  test('ends with both when the caller leaves', async () => {
    const [a, b] = [upstreamNamed('a', [silence]), upstreamNamed('b', [silence])]
    const caller = aCaller()
    const { walking } = hedged([a, b], 9, 20, { signal: caller.signal })
    await vi.advanceTimersByTimeAsync(1000)
    caller.leave()
    expect(await walking).toBe(caller.reason)
    await vi.advanceTimersByTimeAsync(0)
    expect([a, b].map(({ calls }) => calls[0]?.finalised)).toEqual([true, true])
    await expectNothingLeft(caller.signal, a, b)
  })
})

type Scene = ReturnType<typeof hedged>

function hedged(
  upstreams: readonly ScriptedUpstream[],
  least = 9,
  seen = 20,
  change: Partial<WalkParts> = {},
) {
  const standings = createHealthRegistry(
    new Set(upstreams.map(({ name }) => `m@${name}`)),
    timersClock,
    () => 0.5,
  )
  for (let turn = 0; turn < seen; turn++) {
    standings.trackOf({ id: 'm@a' }).insist().end({
      failure: undefined,
      firstTokenMs: usualMs,
      completionTokens: 10,
      durationMs: 500,
    })
  }
  const parts = aWalk(upstreams, { call, standings, ...change })
  const hedging: Hedging<Answer> = {
    budget: createRetryBudget({ share: 0, least }, timersClock),
    discard: abandonAnswer,
  }
  return { walking: settled(walk(parts, attempt, hedging)), parts, standings }
}
