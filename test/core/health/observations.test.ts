import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createObservations, type Observation, type Pace } from '../../../src/core/health/observations.ts'
import { handClock } from '../../harness/core/pool.ts'

const halfLifeMs = 1000

describe('observed answers', () => {
  const stream: Observation = { isAnswered: true, firstTokenMs: 200, completionTokens: 101, durationMs: 1200 }
  const failed: Observation = { ...stream, isAnswered: false }
  const whole: Observation = { ...stream, firstTokenMs: undefined, completionTokens: 60 }
  type Seen = { rate: number; firstTokenMs?: number; tokensPerSecond?: number }
  const cases: [string, Observation[], Seen][] = [
    ['nothing', [], { rate: 1 }],
    ['a stream', [stream], { rate: 1, firstTokenMs: 200, tokensPerSecond: 100 }],
    ['a whole answer', [whole], { rate: 1, tokensPerSecond: 50 }],
    ['a stream of one token', [{ ...stream, completionTokens: 1 }], { rate: 1, firstTokenMs: 200 }],
    [
      'a stream without counted tokens',
      [{ ...stream, completionTokens: undefined }],
      { rate: 1, firstTokenMs: 200 },
    ],
    ['a stream that arrived at once', [{ ...stream, durationMs: 200 }], { rate: 1, firstTokenMs: 200 }],
    ['a failure: its times count for nothing', [failed], { rate: 0.5 }],
    [
      'three answers and two failures',
      [stream, stream, failed, stream, failed],
      { rate: 4 / 6, firstTokenMs: 200, tokensPerSecond: 100 },
    ],
    [
      'two speeds: all tokens over all the time',
      [stream, { ...stream, firstTokenMs: 400, completionTokens: 401 }],
      { rate: 1, firstTokenMs: 300, tokensPerSecond: (500 / 1800) * 1000 },
    ],
  ]
  test.for(cases)('%s', ([_, seen, expected]) => {
    const observations = createObservations(handClock(), halfLifeMs)
    for (const one of seen) observations.note(one)
    expect(observations.successRate()).toBeCloseTo(expected.rate, 10)
    if (expected.firstTokenMs === undefined) expect(observations.firstTokenMs()).toBeUndefined()
    else expect(observations.firstTokenMs()).toBeCloseTo(expected.firstTokenMs, 10)
    if (expected.tokensPerSecond === undefined) expect(observations.tokensPerSecond()).toBeUndefined()
    else expect(observations.tokensPerSecond()).toBeCloseTo(expected.tokensPerSecond, 10)
  })
})

test('an observation one half-life ago counts half', () => {
  const clock = handClock()
  const observations = createObservations(clock, halfLifeMs)
  observations.note({ isAnswered: true, firstTokenMs: 100, completionTokens: 101, durationMs: 1100 })
  clock.move(halfLifeMs)
  observations.note({ isAnswered: true, firstTokenMs: 400, completionTokens: 301, durationMs: 1400 })
  expect(observations.firstTokenMs()).toBeCloseTo((50 + 400) / 1.5, 8)
  expect(observations.tokensPerSecond()).toBeCloseTo((50 + 300) / 1.5, 8)
})

test('failures decay: the rate returns to 1', () => {
  const clock = handClock()
  const observations = createObservations(clock, halfLifeMs)
  for (let call = 0; call < 7; call++) {
    observations.note({
      isAnswered: false,
      firstTokenMs: undefined,
      completionTokens: undefined,
      durationMs: 9,
    })
  }
  const rates = Array.from({ length: 4 }, () => {
    const rate = observations.successRate()
    clock.move(halfLifeMs * 3)
    return Math.round(rate * 1000) / 1000
  })
  expect(rates).toEqual([0.125, 0.533, 0.901, 0.987])
})

test('a single measurement is exact for five half-lives, then forgotten', () => {
  const clock = handClock()
  const observations = createObservations(clock, halfLifeMs)
  observations.note({ isAnswered: true, firstTokenMs: 250, completionTokens: 11, durationMs: 1250 })
  clock.move(halfLifeMs * 4.9)
  expect(observations.firstTokenMs()).toBeCloseTo(250, 8)
  expect(observations.tokensPerSecond()).toBeCloseTo(10, 8)
  clock.move(halfLifeMs * 0.2)
  expect(observations.firstTokenMs()).toBeUndefined()
  expect(observations.tokensPerSecond()).toBeUndefined()
})

describe('the pace of answers', () => {
  const stream: Observation = { isAnswered: true, firstTokenMs: 200, completionTokens: 101, durationMs: 1200 }
  const whole: Observation = { ...stream, firstTokenMs: undefined, completionTokens: 60 }
  const uncounted: Observation = { ...whole, completionTokens: undefined }
  const failed: Observation = { ...stream, isAnswered: false }
  const cases: [string, Observation[], Partial<Pace> | undefined][] = [
    ['is not known of nothing', [], undefined],
    ['is not known of failures', [failed, failed], undefined],
    [
      'of a stream',
      [stream, failed],
      { firstTokenMs: 200, tokensPerSecond: 100, answerMs: 1200, workedShare: 1 },
    ],
    ['of a whole answer', [whole], { tokensPerSecond: 50, answerMs: 1200, workedShare: 1 }],
    ['of an answer without counted tokens', [uncounted, failed], { answerMs: 1200, workedShare: 1 }],
    [
      'of one that worked for half of it',
      [{ ...uncounted, workedMs: 600 }],
      { answerMs: 1200, workedShare: 0.5 },
    ],
    ['of two answers', [uncounted, { ...uncounted, durationMs: 600 }], { answerMs: 900, workedShare: 1 }],
  ]
  test.for(cases)('%s', ([_, seen, expected]) => {
    const observations = createObservations(handClock(), halfLifeMs)
    for (const one of seen) observations.note(one)
    const unknown = { firstTokenMs: undefined, tokensPerSecond: undefined }
    expect(observations.pace()).toEqual(expected && { ...unknown, ...expected })
    expect(observations.isFresh()).toBe(expected !== undefined)
  })

  test('is kept forever, and marked as old', () => {
    const clock = handClock()
    const observations = createObservations(clock, halfLifeMs)
    observations.note(whole)
    clock.move(halfLifeMs * 5000)
    expect(observations.pace()).toMatchObject({ tokensPerSecond: 50, answerMs: 1200 })
    expect(observations.isFresh()).toBe(false)
    observations.note({ ...uncounted, durationMs: 500 })
    expect(observations.pace()).toEqual({
      firstTokenMs: undefined,
      tokensPerSecond: undefined,
      answerMs: 500,
      workedShare: 1,
    })
    expect(observations.isFresh()).toBe(true)
  })
})

test('reading changes nothing, at any time and frequency', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(steps, (movesMs) => {
      const [read, unread] = [true, false].map((isRead) => {
        const clock = handClock()
        const observations = createObservations(clock, halfLifeMs)
        observations.note({ isAnswered: true, firstTokenMs: 100, completionTokens: 9, durationMs: 300 })
        observations.note({ isAnswered: false, firstTokenMs: 0, completionTokens: 0, durationMs: 300 })
        for (const move of movesMs) {
          clock.move(move)
          if (isRead) observations.successRate()
        }
        return observations.successRate()
      })
      expect(read).toBeCloseTo(unread ?? Number.NaN, 10)
    }),
    { seed: 1 },
  )
})
