import { describe, expect, test } from 'vitest'
import type { Probe } from '../../../src/core/health/probe.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { answered, end, one, other, play, some } from '../../harness/core/health-snapshot.ts'

describe('an attempt that ended', () => {
  const outcomes: [FailureKind | 'ok', 'answered' | 'failed' | 'neither'][] = [
    ['ok', 'answered'],
    ['upstream_error', 'failed'],
    ['overloaded', 'failed'],
    ['unreachable', 'failed'],
    ['timeout', 'failed'],
    ['interrupted', 'failed'],
    ['invalid_response', 'failed'],
    ['rate_limited', 'neither'],
    ['caller_left', 'neither'],
    ['rejected', 'neither'],
    ['context_length', 'neither'],
    ['content_filtered', 'neither'],
    ['unsupported', 'neither'],
    ['model_not_found', 'neither'],
    ['upstream_auth', 'failed'],
    ['internal', 'neither'],
  ]
  test.for(outcomes)('in %s counts as %s', ([kind, verdict]) => {
    const { standings } = some()
    play(standings, one, kind, 5)
    expect(standings.trackOf(one).standing()).toMatchObject({
      breaker: verdict === 'failed' ? 'open' : 'closed',
      successRate: verdict === 'failed' ? 1 / 6 : 1,
      firstTokenMs: verdict === 'answered' ? 200 : undefined,
    })
    expect(standings.snapshot()[0]).toMatchObject({
      attempts: 5,
      answered: verdict === 'answered' ? 5 : 0,
      failed: verdict === 'failed' ? 5 : 0,
      limited: kind === 'rate_limited' ? 5 : 0,
    })
  })

  test('does not affect other deployments', () => {
    const { standings } = some()
    play(standings, one, 'timeout', 9)
    expect(standings.trackOf(other).standing()).toMatchObject({ breaker: 'closed', successRate: 1 })
  })

  test('in a 429 lowers the share until its reset, and does not count against its health', () => {
    const { standings, clock } = some()
    end(standings, one, new Failure('rate_limited', 'Slower, please.', { retryAfterMs: 3000 }))
    expect(standings.trackOf(one).standing()).toMatchObject({ breaker: 'closed', share: 0, successRate: 1 })
    clock.move(3000)
    expect(standings.trackOf(one).standing().share).toBe(0)
    clock.move(5000)
    expect(standings.trackOf(one).standing().share).toBe(0.5)
    clock.move(5000)
    expect(standings.trackOf(one).standing().share).toBe(1)
  })

  test('ends once', () => {
    const { standings } = some()
    const permit = standings.trackOf(one).insist()
    permit.end({ ...answered, failure: new Failure('timeout', 'Too slow.') })
    permit.end(answered)
    permit[Symbol.dispose]()
    expect(standings.snapshot()[0]).toMatchObject({ inFlight: 0, attempts: 1, failed: 1, answered: 0 })
  })

  test('without an outcome counts for nothing', () => {
    const { standings } = some()
    {
      using _permit = standings.trackOf(one).insist()
      expect(standings.snapshot()[0]).toMatchObject({ inFlight: 1 })
    }
    expect(standings.snapshot()[0]).toMatchObject({ inFlight: 0, attempts: 0, successRate: 1 })
  })
})

describe('a deployment that fails', () => {
  test('is skipped, then probed once, and healthy again when the probe is answered', () => {
    const { standings, clock } = some()
    play(standings, one, 'upstream_error', 5)
    expect(standings.trackOf(one).standing().breaker).toBe('open')
    expect(standings.trackOf(one).begin()).toBeUndefined()
    clock.move(5000)
    expect(standings.trackOf(one).standing().breaker).toBe('half-open')
    const probe = standings.trackOf(one).begin()
    expect(standings.trackOf(one).begin()).toBeUndefined()
    probe?.end(answered)
    expect(standings.trackOf(one).standing().breaker).toBe('closed')
  })

  test('counts as open for others while its probe is in flight, and is reported as half-open', () => {
    const { standings, clock } = some()
    play(standings, one, 'upstream_error', 5)
    clock.move(5000)
    using _probe = standings.trackOf(one).begin()
    expect(standings.trackOf(one).standing().breaker).toBe('open')
    expect(standings.snapshot()[0]?.breaker).toBe('half-open')
  })

  test.for(['caller_left', 'rate_limited', 'rejected'] as const)('gets its probe back after %s', (kind) => {
    const { standings, clock } = some()
    play(standings, one, 'upstream_error', 5)
    clock.move(5000)
    standings
      .trackOf(one)
      .begin()
      ?.end({ ...answered, failure: new Failure(kind, 'Gone.') })
    expect(standings.trackOf(one).standing().breaker).toBe('half-open')
    expect(standings.trackOf(one).begin()).toBeDefined()
  })

  test('can be used regardless', () => {
    const { standings } = some()
    play(standings, one, 'upstream_error', 5)
    standings.trackOf(one).insist().end(answered)
    expect(standings.trackOf(one).standing().breaker).toBe('closed')
  })
})

describe('a standing', () => {
  test('of one never tried is healthy', () => {
    expect(some().standings.trackOf(one).standing()).toEqual({
      breaker: 'closed',
      share: 1,
      successRate: 1,
      firstTokenMs: undefined,
      tokensPerSecond: undefined,
      pace: undefined,
      isMeasured: false,
      isUntried: true,
    })
  })

  test('is the same object until something changes', () => {
    const { standings, clock } = some()
    const untried = standings.trackOf(one).standing()
    clock.move(60_000)
    expect(standings.trackOf(one).standing()).toBe(untried)
    play(standings, one, 'ok', 1)
    const tried = standings.trackOf(one).standing()
    expect(tried).not.toBe(untried)
    expect(tried).toMatchObject({ firstTokenMs: 200, tokensPerSecond: 100 })
    expect(standings.trackOf(one).standing()).toBe(tried)
  })

  test('is not recomputed per call: decay shows within a second', () => {
    const { standings, clock } = some()
    play(standings, one, 'timeout', 1)
    const fresh = standings.trackOf(one).standing()
    clock.move(999)
    expect(standings.trackOf(one).standing()).toBe(fresh)
    clock.move(1)
    expect(standings.trackOf(one).standing().successRate).toBeGreaterThan(fresh.successRate)
  })

  test('can be read with a known time', () => {
    const { standings, clock } = some()
    play(standings, one, 'ok', 1)
    expect(standings.trackOf(one).standing(clock.now())).toBe(standings.trackOf(one).standing())
  })

  test('of an unconfigured deployment is a bug', () => {
    const { standings } = some()
    expect(() => standings.trackOf({ id: 'elsewhere' }).standing()).toThrow(TypeError)
    expect(() => standings.trackOf({ id: 'elsewhere' }).begin()).toThrow(TypeError)
  })
})

describe('a probe of its health', () => {
  const well: Probe = { atEpochMs: 5, answer: { isReady: true } }
  const ill: Probe = { atEpochMs: 6, answer: new Failure('unreachable', 'Gone.') }
  const asleep: Probe = { atEpochMs: 7, answer: { isReady: false, idleWorkers: 0, busyWorkers: 0 } }

  test.for([well, ill, asleep])('is not an attempt, and measures nothing: %o', (probe) => {
    const { standings } = some()
    play(standings, one, 'ok', 1)
    const { share, successRate, firstTokenMs, tokensPerSecond } = standings.snapshot()[0]!
    for (let time = 0; time < 9; time++) standings.probed(one.id, probe)
    const measured = { share, successRate, firstTokenMs, tokensPerSecond }
    const counted = { inFlight: 0, attempts: 1, answered: 1, failed: 0, limited: 0 }
    expect(standings.snapshot()[0]).toMatchObject({ ...measured, ...counted, probe })
    expect(standings.snapshot()[1]).toMatchObject({ breaker: 'closed', probe: undefined })
  })

  test('opens and closes the breaker with immediate effect', () => {
    const { standings, clock } = some()
    for (let time = 0; time < 5; time++) {
      expect(standings.trackOf(one).standing().breaker).toBe('closed')
      standings.probed(one.id, ill)
    }
    expect(standings.trackOf(one).standing()).toMatchObject({ breaker: 'open', successRate: 1 })
    expect(standings.snapshot()[0]).toMatchObject({ breaker: 'open', failuresInARow: 5 })
    clock.move(5000)
    expect(standings.trackOf(one).standing().breaker).toBe('half-open')
    standings.probed(one.id, well)
    expect(standings.trackOf(one).standing().breaker).toBe('closed')
  })

  test('of a sleeping one is reported, and does not count against it', () => {
    const { standings } = some()
    for (let time = 0; time < 20; time++) standings.probed(one.id, asleep)
    expect(standings.snapshot()[0]).toMatchObject({ breaker: 'closed', failuresInARow: 0, probe: asleep })
  })
})

test('in a renewed registry, kept deployments share their state with the old one, others are new', () => {
  const { standings } = some()
  play(standings, one, 'upstream_error', 4)
  play(standings, other, 'upstream_error', 4)
  using underWay = standings.trackOf(one).insist()
  const renewed = standings.renewed([one.id, other.id, 'a-third@one'], new Set([one.id, 'a-third@one']))
  expect(renewed.snapshot().map(({ id, failed, inFlight }) => [id, failed, inFlight])).toEqual([
    [one.id, 4, 1],
    [other.id, 0, 0],
    ['a-third@one', 0, 0],
  ])
  underWay.end({ ...answered, failure: new Failure('unreachable', 'Nobody is there.') })
  expect(renewed.trackOf(one).standing().breaker).toBe('open')
  expect(renewed.trackOf(other).standing().breaker).toBe('closed')
})

test('the report on each deployment for operators', () => {
  const { standings, clock } = some()
  play(standings, one, 'ok', 2)
  play(standings, one, 'upstream_error', 5)
  end(standings, other, new Failure('rate_limited', 'Slower.', { retryAfterMs: 2000 }))
  clock.move(100)
  const nowEpochMs = clock.epochMs()
  const [sick, limited, ...rest] = standings.snapshot()
  expect(rest).toEqual([])
  expect(sick).toEqual({
    id: one.id,
    breaker: 'open',
    sinceEpochMs: nowEpochMs - 100,
    failuresInARow: 5,
    opensUntilEpochMs: nowEpochMs + 1900,
    share: 1,
    limitedUntilEpochMs: undefined,
    successRate: expect.closeTo(3 / 8, 3),
    firstTokenMs: expect.closeTo(200, 6),
    tokensPerSecond: expect.closeTo(100, 6),
    inFlight: 0,
    attempts: 7,
    answered: 2,
    failed: 5,
    limited: 0,
    lastFailure: 'upstream_error',
  })
  expect(limited).toMatchObject({
    id: other.id,
    breaker: 'closed',
    opensUntilEpochMs: undefined,
    share: 0,
    limitedUntilEpochMs: nowEpochMs + 1900,
    limited: 1,
    lastFailure: 'rate_limited',
  })
})
