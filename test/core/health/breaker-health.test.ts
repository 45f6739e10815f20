import { describe, expect, test } from 'vitest'
import {
  type Breaker,
  createBreaker,
  defaultBreaker,
  type Verdict,
} from '../../../src/core/health/breaker.ts'
import { type HandClock, handClock } from '../../harness/core/pool.ts'

const settings = { ...defaultBreaker, failures: 3, minimumCalls: 10, openMs: 1000 }

/** Calls: o answered, x failed. Health reports between them: g good, b bad, ? neither. */
const calls: Readonly<Record<string, Verdict>> = { o: 'answered', x: 'failed' }
const healths: Readonly<Record<string, Verdict>> = { g: 'answered', b: 'failed', '?': 'neither' }

describe('a health report without a call', () => {
  const cases: [string, string, number, string][] = [
    ['bb', 'closed', 2, 'too little of what is bad'],
    ['bbb', 'open', 3, 'bad as often in a row as calls may fail'],
    ['bbgbb', 'closed', 2, 'something good between'],
    ['xbx', 'open', 3, 'bad beside failed calls'],
    ['bbob', 'closed', 1, 'bad, and yet a call was answered'],
    ['xxgx', 'open', 3, 'good, and yet calls fail'],
    ['bb?', 'closed', 2, 'nothing either way'],
    ['xoxoxoxoggggggggggx', 'closed', 1, 'good is no call answered: too few calls for a rate'],
  ]
  test.for(cases)('%s makes it %s, with %i in a row: %s', ([told, state, failures]) => {
    const { breaker } = aBreaker()
    tell(breaker, told)
    expect(breaker.read()).toMatchObject({ state, failures })
  })

  test('is ignored while it is open, if bad', () => {
    const { breaker } = opened()
    const before = breaker.read()
    tell(breaker, 'b')
    expect(breaker.read()).toEqual(before)
  })

  test('lets one call probe an open one at once, if good', () => {
    const { breaker } = opened()
    tell(breaker, 'g')
    expect(breaker.read().state).toBe('half-open')
    expect(breaker.admit()).toMatchObject({ isProbe: true })
    expect(breaker.admit()).toBeUndefined()
  })

  test('opens a half-open one for longer, if bad', () => {
    const { breaker, clock } = halfOpen()
    tell(breaker, 'b')
    expect(breaker.read().state).toBe('open')
    expect(openForMs(breaker, clock)).toBe(2000)
  })

  test('does so once, even if the rate had opened it', () => {
    const { breaker, clock } = aBreaker()
    tell(breaker, 'xoxoxoxoxox')
    clock.move(settings.openMs)
    tell(breaker, 'b')
    expect(breaker.read()).toMatchObject({ state: 'open', failures: 2 })
  })

  test('does not decide while a probe is in flight', () => {
    const { breaker } = halfOpen()
    const probe = breaker.admit()!
    tell(breaker, 'gb')
    expect(breaker.read().state).toBe('half-open')
    breaker.end(probe, 'answered')
    expect(breaker.read()).toMatchObject({ state: 'closed', failures: 0 })
  })

  test('leaves it half-open if it is neither good nor bad', () => {
    const { breaker } = halfOpen()
    tell(breaker, '?')
    expect(breaker.read().state).toBe('half-open')
  })
})

describe('a breaker closed by a health report alone', () => {
  test('admits every call', () => {
    const { breaker } = onTrial()
    expect(breaker.read()).toMatchObject({ state: 'closed', opensUntil: undefined })
    expect([breaker.admit(), breaker.admit()]).toMatchObject([{ isProbe: false }, { isProbe: false }])
  })

  test('opens again at the first failed call, for twice as long, regardless of others', () => {
    const { breaker, clock } = onTrial()
    const [failing, other] = [breaker.admit()!, breaker.admit()!]
    breaker.end(failing, 'failed')
    breaker.end(other, 'answered')
    expect(breaker.read().state).toBe('open')
    expect(openForMs(breaker, clock)).toBe(2000)
  })

  test('is fully closed after the first answered call, and keeps its count of failures', () => {
    const { breaker, clock } = onTrial()
    const { since } = breaker.read()
    clock.move(100)
    tell(breaker, 'oxx')
    expect(breaker.read()).toMatchObject({ state: 'closed', since, failures: 2 })
    tell(breaker, 'x')
    expect(openForMs(breaker, clock)).toBe(1000)
  })

  test('ignores calls from before', () => {
    const { breaker, clock } = opened()
    const late = breaker.insist()
    clock.move(settings.openMs)
    tell(breaker, 'g')
    breaker.end(late, 'failed')
    expect(breaker.read().state).toBe('closed')
  })
})

type Made = { readonly breaker: Breaker; readonly clock: HandClock }

function aBreaker(): Made {
  const clock = handClock()
  return { clock, breaker: createBreaker(clock, () => 0, settings) }
}

function opened(): Made {
  const made = aBreaker()
  tell(made.breaker, 'xxx')
  return made
}

function halfOpen(): Made {
  const made = opened()
  made.clock.move(settings.openMs)
  return made
}

function onTrial(): Made {
  const made = halfOpen()
  tell(made.breaker, 'g')
  return made
}

function tell(breaker: Breaker, told: string): void {
  for (const word of told) {
    const health = healths[word]
    if (health === undefined) breaker.end(breaker.admit()!, calls[word]!)
    else breaker.noteHealth(health)
  }
}

function openForMs(breaker: Breaker, clock: HandClock): number {
  return (breaker.read().opensUntil ?? Number.NaN) - clock.now()
}
