import { describe, expect, test } from 'vitest'
import {
  type Breaker,
  type BreakerSettings,
  createBreaker,
  defaultBreaker,
  type Verdict,
} from '../../../src/core/health/breaker.ts'
import { type HandClock, handClock } from '../../harness/core/pool.ts'

const settings: BreakerSettings = {
  failures: 3,
  failureRate: 0.5,
  minimumCalls: 10,
  windowMs: 30_000,
  openMs: 1000,
  longestOpenMs: 4000,
  trialMs: 60_000,
}

/** Calls one after the other: o answered, x failed, ! refused, - neither. */
const verdicts: Readonly<Record<string, Verdict>> = {
  o: 'answered',
  x: 'failed',
  '!': 'refused',
  '-': 'neither',
}

describe('a breaker after calls', () => {
  const cases: [string, string, number, string][] = [
    ['', 'closed', 0, 'none'],
    ['xx', 'closed', 2, 'too few failures'],
    ['xxx', 'open', 3, 'failures in a row'],
    ['xxoxx', 'closed', 2, 'an answer between them'],
    ['x-x-x', 'open', 3, 'what says nothing neither counts nor breaks the row'],
    ['----------', 'closed', 0, 'what says nothing, often'],
    ['xoxoxoxox', 'closed', 1, 'half of them failed, but too few calls'],
    ['xoxoxoxoxo', 'closed', 0, 'the last answer does not open it'],
    ['xoxoxoxoxox', 'open', 1, 'more than half of enough calls failed'],
    ['oxxoxxoxxox', 'open', 1, 'never three in a row'],
    ['oooooooooo!', 'open', 1, 'one refusal is enough'],
    ['xooxooxooxooxooxoox', 'closed', 1, 'a third of them failed'],
  ]
  test.for(cases)('%s is %s, with %i failures in a row: %s', ([calls, state, failures]) => {
    const { breaker } = aBreaker()
    play(breaker, calls)
    expect(breaker.read()).toMatchObject({ state, failures })
  })
})

describe('the rate', () => {
  test('covers the window: older calls do not count', () => {
    const { breaker, clock } = aBreaker()
    play(breaker, 'xxoxxoxxo')
    clock.move(settings.windowMs)
    play(breaker, 'ooxooxooxo')
    expect(breaker.read().state).toBe('closed')
  })

  test('slides: newer calls still count', () => {
    const { breaker, clock } = aBreaker()
    play(breaker, 'xxoxxo')
    clock.move(settings.windowMs * 0.8)
    play(breaker, 'ooo')
    expect(breaker.read().state).toBe('closed')
    play(breaker, 'x')
    expect(breaker.read().state).toBe('open')
  })

  test('starts over when the breaker has closed', () => {
    const { breaker, clock } = aBreaker()
    play(breaker, 'oxxoxxoxxox')
    clock.move(1000)
    play(breaker, 'o')
    expect(breaker.read().state).toBe('closed')
    play(breaker, 'x')
    expect(breaker.read().state).toBe('closed')
  })
})

describe('an open breaker', () => {
  test('admits nothing until its time is over, then a single call', () => {
    const { breaker, clock } = opened()
    expect(breaker.admit()).toBeUndefined()
    clock.move(999)
    expect(breaker.admit()).toBeUndefined()
    expect(breaker.isAdmitting()).toBe(false)
    clock.move(1)
    expect(breaker.read().state).toBe('half-open')
    expect(breaker.isAdmitting()).toBe(true)
    expect(breaker.admit()).toMatchObject({ isProbe: true })
    expect(breaker.isAdmitting()).toBe(false)
    expect(breaker.admit()).toBeUndefined()
  })

  test('reports its state with its start and end', () => {
    const { breaker, clock } = aBreaker()
    expect(breaker.read()).toEqual({ state: 'closed', since: 1000, failures: 0, opensUntil: undefined })
    clock.move(500)
    play(breaker, 'xxx')
    expect(breaker.read()).toEqual({ state: 'open', since: 1500, failures: 3, opensUntil: 2500 })
    clock.move(3000)
    expect(breaker.read()).toEqual({ state: 'half-open', since: 2500, failures: 3, opensUntil: 2500 })
    play(breaker, 'o')
    expect(breaker.read()).toEqual({ state: 'closed', since: 4500, failures: 0, opensUntil: undefined })
  })

  test('opened by a refusal opens again at the next one, for twice as long', () => {
    const { breaker, clock } = aBreaker()
    play(breaker, '!')
    clock.move(settings.openMs)
    expect(breaker.read().state).toBe('half-open')
    play(breaker, '!')
    clock.move(settings.openMs)
    expect(breaker.read().state).toBe('open')
    clock.move(settings.openMs)
    expect(breaker.read().state).toBe('half-open')
  })

  test('opens for twice as long after every failed probe, up to the maximum; closing resets this', () => {
    const { breaker, clock } = opened()
    const times = [openForMs(breaker, clock)]
    for (let probe = 0; probe < 4; probe++) {
      waitOut(breaker, clock)
      play(breaker, 'x')
      times.push(openForMs(breaker, clock))
    }
    waitOut(breaker, clock)
    play(breaker, 'oxxx')
    times.push(openForMs(breaker, clock))
    expect(times).toEqual([1000, 2000, 4000, 4000, 4000, 1000])
  })

  const jitters: [number, number][] = [
    [0, 1000],
    [0.5, 750],
    [0.999999, 500.0005],
  ]
  test.for(jitters)('with a random number of %f opens for %f ms', ([drawn, openMs]) => {
    const clock = handClock()
    const breaker = createBreaker(clock, () => drawn, settings)
    play(breaker, 'xxx')
    expect(openForMs(breaker, clock)).toBeCloseTo(openMs, 6)
  })
})

describe('a probe', () => {
  test('that is answered closes the breaker', () => {
    const { breaker } = halfOpen()
    play(breaker, 'o')
    expect(breaker.read()).toMatchObject({ state: 'closed', failures: 0 })
    expect(breaker.admit()).toMatchObject({ isProbe: false })
  })

  test('that ends with neither is returned: another is admitted', () => {
    const { breaker } = halfOpen()
    play(breaker, '-')
    expect(breaker.read().state).toBe('half-open')
    expect(breaker.admit()).toMatchObject({ isProbe: true })
  })

  test('that does not end counts as lost, but its late outcome still counts', () => {
    const { breaker, clock } = halfOpen()
    const lost = breaker.admit()!
    clock.move(settings.trialMs - 1)
    expect(breaker.admit()).toBeUndefined()
    clock.move(1)
    expect(breaker.admit()).toMatchObject({ isProbe: true })
    breaker.end(lost, 'neither')
    expect(breaker.admit()).toBeUndefined()
    breaker.end(lost, 'answered')
    expect(breaker.read().state).toBe('closed')
  })
})

describe('a call from before', () => {
  const cases: Verdict[] = ['answered', 'failed', 'neither']
  test.for(cases)('that ends %s when the breaker has opened changes nothing', (verdict) => {
    const { breaker } = aBreaker()
    const late = breaker.admit()!
    play(breaker, 'xxx')
    const before = breaker.read()
    breaker.end(late, verdict)
    expect(breaker.read()).toEqual(before)
  })

  test('that failed does not count against a breaker that has closed since', () => {
    const { breaker, clock } = aBreaker()
    const late = [breaker.admit()!, breaker.admit()!, breaker.admit()!]
    play(breaker, 'xxx')
    clock.move(1000)
    play(breaker, 'o')
    for (const pass of late) breaker.end(pass, 'failed')
    expect(breaker.read()).toMatchObject({ state: 'closed', failures: 0 })
  })
})

describe('a call without another deployment', () => {
  test('passes an open breaker, and closes it when it is answered', () => {
    const { breaker } = opened()
    breaker.end(breaker.insist(), 'answered')
    expect(breaker.read().state).toBe('closed')
  })

  test('does not extend an open breaker’s time when it fails', () => {
    const { breaker, clock } = opened()
    clock.move(500)
    breaker.end(breaker.insist(), 'failed')
    expect(breaker.read()).toMatchObject({ state: 'open', failures: 4 })
    expect(openForMs(breaker, clock)).toBe(500)
  })

  test('is the probe if none is in flight', () => {
    const { breaker } = halfOpen()
    expect(breaker.insist()).toMatchObject({ isProbe: true })
    expect(breaker.insist()).toMatchObject({ isProbe: false })
  })
})

test('by default opens after five failures in a row, for 1 to 2 s', () => {
  const clock = handClock()
  const breaker = createBreaker(clock, Math.random)
  play(breaker, 'xxxx')
  expect(breaker.read().state).toBe('closed')
  play(breaker, 'x')
  expect(openForMs(breaker, clock)).toBeGreaterThan(999)
  expect(openForMs(breaker, clock)).toBeLessThanOrEqual(defaultBreaker.openMs)
})

test('after any outage, by default it is tried again within 4 s', () => {
  const clock = handClock()
  const breaker = createBreaker(clock, Math.random)
  play(breaker, 'xxxxx')
  for (let trials = 0; trials < 20; trials++) {
    clock.move(openForMs(breaker, clock))
    const trial = breaker.admit()
    if (trial === undefined) throw new Error('There was no trial.')
    breaker.end(trial, 'failed')
    expect(openForMs(breaker, clock)).toBeLessThanOrEqual(4000)
  }
})

test('an overdue probe does not prevent the next one from closing the breaker', () => {
  const clock = handClock()
  const breaker = createBreaker(clock, Math.random)
  play(breaker, 'xxxxx')
  clock.move(openForMs(breaker, clock))
  const late = breaker.admit()
  clock.move(defaultBreaker.trialMs)
  const next = breaker.admit()
  if (late === undefined || next === undefined) throw new Error('There were no two trials.')
  breaker.end(late, 'failed')
  breaker.end(next, 'answered')
  expect(breaker.read().state).toBe('closed')
})

type Made = { readonly breaker: Breaker; readonly clock: HandClock }

function aBreaker(): Made {
  const clock = handClock()
  return { clock, breaker: createBreaker(clock, () => 0, settings) }
}

function opened(): Made {
  const made = aBreaker()
  play(made.breaker, 'xxx')
  return made
}

function halfOpen(): Made {
  const made = opened()
  waitOut(made.breaker, made.clock)
  return made
}

function play(breaker: Breaker, calls: string): void {
  for (const call of calls) breaker.end(breaker.admit()!, verdicts[call]!)
}

function openForMs(breaker: Breaker, clock: HandClock): number {
  return (breaker.read().opensUntil ?? Number.NaN) - clock.now()
}

function waitOut(breaker: Breaker, clock: HandClock): void {
  clock.move(openForMs(breaker, clock))
}
