import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Random } from '../../../../src/core/model/ports.ts'
import type { StrategyName } from '../../../../src/core/model/terms.ts'
import { scores } from '../../../../src/core/plan/strategies/strategies.ts'
import type { Incumbent } from '../../../../src/core/plan/strategies/strategy.ts'
import { namesOf, poolOf, type Row, seeded } from '../../../harness/core/pool.ts'
import { expectedTokens, firsts, near, ordered, shares } from '../../../harness/core/random-draws.ts'

const never: Random = () => 1 - Number.EPSILON
const always: Random = () => 0

/** The pool of all tests. Costs of the call are in nano-USD. */
const rows = {
  dear: { cost: 3000, firstTokenMs: 100, tokensPerSecond: 200, deployment: { weight: 1 } },
  unpriced: { cost: undefined, firstTokenMs: 900, tokensPerSecond: 20, deployment: { weight: 2 } },
  cheap: { cost: 1000, firstTokenMs: 400, tokensPerSecond: 50, deployment: { weight: 7 } },
  shaky: { cost: 990, successRate: 0.25, firstTokenMs: 200, tokensPerSecond: 100, deployment: { weight: 0 } },
  fresh: { cost: 2000, deployment: { weight: 10 } },
} as const satisfies Record<string, Row>
const pool = poolOf(rows)

const all: readonly StrategyName[] = [
  'fallback',
  'first',
  'weighted',
  'cheapest',
  'fastest',
  'balanced',
  'value',
]

describe('the pool, without randomness', () => {
  const cases: [StrategyName, string[]][] = [
    ['fallback', ['dear', 'unpriced', 'cheap', 'shaky', 'fresh']],
    ['first', ['dear']],
    // Costs: 990, 1000, 2000, 3000, unknown.
    ['cheapest', ['shaky', 'cheap', 'fresh', 'dear', 'unpriced']],
    // Milliseconds for 100 tokens: 600, 1200, 2400, 5900, never measured.
    ['fastest', ['dear', 'shaky', 'cheap', 'unpriced', 'fresh']],
    // Costs of a good answer: 1000 × 1.3, 2000, 3000, 990 / 0.25 × 1.1, unknown.
    ['value', ['cheap', 'fresh', 'dear', 'shaky', 'unpriced']],
  ]
  test.for(cases)('has the order of %s', ([strategy, expected]) => {
    expect(ordered(strategy, pool, never)).toEqual(expected)
  })
})

describe.for(all)('%s', (strategy) => {
  test('keeps every candidate once, and returns nothing for none', () => {
    const random = seeded(1)
    fc.assert(
      fc.property(fc.array(aRow, { maxLength: 12 }), (list) => {
        const candidates = poolOf(Object.fromEntries(list.map((row, place) => [`p${place}`, row])))
        const result = ordered(strategy, candidates, random)
        const expected = strategy === 'first' ? namesOf(candidates).slice(0, 1) : namesOf(candidates)
        expect(result.toSorted()).toEqual(expected.toSorted())
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  test('gives a single candidate all calls, in any state', () => {
    const lone = poolOf({ lone: { cost: undefined, share: 0, successRate: 0, deployment: { weight: 0 } } })
    expect(ordered(strategy, lone, always)).toEqual(['lone'])
    expect(ordered(strategy, lone, never)).toEqual(['lone'])
  })
})

describe.for(all.filter((name) => name !== 'first'))('%s, with a rate-limited upstream', (strategy) => {
  const well: Row = { cost: 1000, firstTokenMs: 100, tokensPerSecond: 100 }

  test('gives it its share of its usual calls', () => {
    const usual = firsts(strategy, poolOf({ one: well, other: { ...well, cost: 1500 } }), 2)
    const limited = firsts(
      strategy,
      poolOf({ one: { ...well, share: 0.25 }, other: { ...well, cost: 1500 } }),
      3,
    )
    const random = strategy === 'weighted' || strategy === 'balanced'
    // A quarter of the weight is a quarter of the odds.
    const odds = (usual['one'] ?? 0) / (1 - (usual['one'] ?? 0))
    const expected = random ? odds / 4 / (1 + odds / 4) : (usual['one'] ?? 0) / 4
    expect(Math.abs((limited['one'] ?? 0) - expected)).toBeLessThan(0.015)
  })

  test('gives it no calls at a share of 0, but keeps it as the last resort', () => {
    const candidates = poolOf({ one: { ...well, share: 0 }, other: { ...well, cost: 5000 } })
    const random = seeded(4)
    let before = 0
    for (let draw = 0; draw < 2000; draw++) {
      if (ordered(strategy, candidates, random)[0] !== 'other') before++
    }
    expect(before).toBe(0)
  })
})

describe('weighted', () => {
  test('distributes by weight: 1, 2, 7 and 10 of 20', () => {
    near(firsts('weighted', pool, 5), { dear: 0.05, unpriced: 0.1, cheap: 0.35, fresh: 0.5 })
  })

  test('draws the second by the weights of the rest', () => {
    const random = seeded(6)
    const seconds = shares((_) => {
      const [first, second] = ordered('weighted', pool, random)
      return first === 'fresh' ? second : undefined
    })
    near(seconds, { dear: 0.1, unpriced: 0.2, cheap: 0.7 })
  })

  test('tries a weight of 0 after all others', () => {
    const random = seeded(7)
    for (let draw = 0; draw < 2000; draw++) expect(ordered('weighted', pool, random).at(-1)).toBe('shaky')
  })

  test('ranks a limited one before a drained one', () => {
    const candidates = poolOf({ drained: { deployment: { weight: 0 } }, limited: { share: 0 } })
    expect(ordered('weighted', candidates, seeded(8))).toEqual(['limited', 'drained'])
  })
})

describe('balanced', () => {
  test('gives three times the cost a ninth of the calls', () => {
    near(firsts('balanced', poolOf({ one: { cost: 1000 }, other: { cost: 3000 } }), 9), {
      one: 0.9,
      other: 0.1,
    })
  })

  test('tries an unknown cost after every known one', () => {
    const random = seeded(10)
    for (let draw = 0; draw < 2000; draw++) expect(ordered('balanced', pool, random).at(-1)).toBe('unpriced')
  })

  test('shares the calls among free ones, and gives the others nearly none', () => {
    const candidates = poolOf({ free: { cost: 0 }, gratis: { cost: 0 }, dear: { cost: 1_000_000 } })
    near(firsts('balanced', candidates, 11), { free: 0.5, gratis: 0.5 })
  })
})

describe('cheapest', () => {
  test('keeps the written order among equals and among unknowns', () => {
    const candidates = poolOf({
      u1: {},
      b1: { cost: 20 },
      a1: { cost: 10 },
      u2: {},
      b2: { cost: 20 },
      a2: { cost: 10 },
      free: { cost: 0 },
    })
    expect(ordered('cheapest', candidates, never)).toEqual(['free', 'a1', 'a2', 'b1', 'b2', 'u1', 'u2'])
  })

  test('distinguishes costs that differ by one in ten billion', () => {
    const candidates = poolOf({ more: { cost: 10_000_000_001 }, less: { cost: 10_000_000_000 } })
    expect(ordered('cheapest', candidates, never)).toEqual(['less', 'more'])
  })

  test('sorts like a comparison sort', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 200 }), (costs) => {
        const candidates = poolOf(Object.fromEntries(costs.map((cost, place) => [`p${place}`, { cost }])))
        const byComparison = candidates.toSorted(
          (one, other) => (one.expectedNanoUsd ?? 0) - (other.expectedNanoUsd ?? 0),
        )
        expect(ordered('cheapest', candidates, never)).toEqual(namesOf(byComparison))
      }),
      { numRuns: 200, seed: 12 },
    )
  })
})

describe('fastest', () => {
  test('depends on the length of the answer: a fast start wins a short one, a high rate a long one', () => {
    const candidates = poolOf({
      starter: { firstTokenMs: 100, tokensPerSecond: 10 },
      runner: { firstTokenMs: 2000, tokensPerSecond: 200 },
    })
    const names = [5, 500].map((tokens) => ordered('fastest', candidates, never, undefined, tokens))
    expect(names).toEqual([
      ['starter', 'runner'],
      ['runner', 'starter'],
    ])
  })

  test('sends one call in twenty to those never measured, evenly', () => {
    const candidates = poolOf({ known: { firstTokenMs: 100, tokensPerSecond: 10 }, new1: {}, new2: {} })
    near(firsts('fastest', candidates, 13), { known: 0.95, new1: 0.025, new2: 0.025 }, 0.005)
  })

  test('uses the duration of whole answers', () => {
    const candidates = poolOf({
      stream: { firstTokenMs: 500, tokensPerSecond: 100 },
      whole: { tokensPerSecond: 100 },
    })
    expect(scores('fastest', candidates, { expectedTokens })).toEqual([1500, 1000])
  })
})

describe('value', () => {
  test('explores with one call in fifty, but never to find out a price', () => {
    const found = firsts('value', pool, 14)
    near(found, { cheap: 0.98, fresh: 0.02 / 3, dear: 0.02 / 3, shaky: 0.02 / 3 }, 0.004)
    expect(found['unpriced']).toBeUndefined()
  })

  test('divides the cost by the success rate, and never by zero', () => {
    const candidates = poolOf({
      sure: { cost: 150 },
      half: { cost: 100, successRate: 0.5 },
      dead: { cost: 100, successRate: 0 },
    })
    expect(scores('value', candidates, { expectedTokens })).toEqual([150, 200, 10_000])
    expect(ordered('value', candidates, never)).toEqual(['sure', 'half', 'dead'])
  })

  test('raises the cost of slow ones, at most twofold', () => {
    const candidates = poolOf({
      quick: { cost: 100, firstTokenMs: 100 },
      slower: { cost: 100, firstTokenMs: 300 },
      slowest: { cost: 100, firstTokenMs: 100_000 },
      unmeasured: { cost: 100 },
    })
    expect(scores('value', candidates, { expectedTokens })).toEqual([100, 120, 200, 100])
  })

  const flaps: [string, number, string][] = [
    ['keeps its place against one a little better', 95, 'holder'],
    ['keeps its place against one better by less than a tenth', 91, 'holder'],
    ['loses it to one better by more than a tenth', 89, 'rival'],
  ]
  test.for(flaps)('the last winner %s', ([_, rivalCost, winner]) => {
    const incumbent: Incumbent = { id: 'some-model@holder' }
    const candidates = poolOf({ holder: { cost: 100 }, rival: { cost: rivalCost } })
    expect(ordered('value', candidates, never, incumbent)[0]).toBe(winner)
    expect(incumbent.id).toBe(`some-model@${winner}`)
  })

  test('does not flap between two that alternate in being slightly better', () => {
    const incumbent: Incumbent = { id: undefined }
    const winners = Array.from({ length: 20 }, (_, turn) => {
      const candidates = poolOf({ one: { cost: turn % 2 ? 100 : 96 }, other: { cost: turn % 2 ? 96 : 100 } })
      return ordered('value', candidates, never, incumbent)[0]
    })
    expect(new Set(winners)).toEqual(new Set(['one']))
  })

  test('does not make an explored one the winner', () => {
    const incumbent: Incumbent = { id: undefined }
    expect(ordered('value', pool, always, incumbent)[0]).toBe('dear')
    expect(incumbent.id).toBe('some-model@cheap')
  })

  test('forgets a winner that may not take the call', () => {
    const incumbent: Incumbent = { id: 'some-model@gone' }
    expect(ordered('value', pool, never, incumbent)[0]).toBe('cheap')
  })
})

describe.for<StrategyName>(['cheapest', 'balanced', 'value'])('%s, with billing by time', (strategy) => {
  const untried: Row = { isUnmeasured: true, isUntried: true }
  const untold: Row = { isUnmeasured: true }
  const known: Row = { cost: 1000, firstTokenMs: 100, tokensPerSecond: 100 }

  test('tries one that was never tried at once, to measure its cost', () => {
    const candidates = poolOf({ known, unpriced: {}, untried })
    expect(ordered(strategy, candidates, never)).toEqual(['untried', 'known', 'unpriced'])
  })

  test('sends one call in fifty to one whose measurement is missing or outdated', () => {
    const found = firsts(strategy, poolOf({ known, untold, unpriced: {} }), 15)
    near(found, { known: 0.98, untold: 0.02 }, 0.004)
    expect(found['unpriced']).toBeUndefined()
  })

  test('otherwise uses old measurements', () => {
    const candidates = poolOf({ known, old: { cost: 10, isUnmeasured: true } })
    expect(ordered(strategy, candidates, () => 0.5)).toEqual(['old', 'known'])
  })

  test('sends none to a rate-limited one', () => {
    const candidates = poolOf({ known, untried: { ...untried, share: 0 } })
    const random = seeded(16)
    for (let draw = 0; draw < 2000; draw++) expect(ordered(strategy, candidates, random)[0]).toBe('known')
  })
})

describe('the scores of a strategy, for the whole pool', () => {
  const cases: [StrategyName, (number | undefined)[]][] = [
    ['fallback', [undefined, undefined, undefined, undefined, undefined]],
    ['first', [undefined, undefined, undefined, undefined, undefined]],
    ['weighted', [0.05, 0.1, 0.35, undefined, 0.5]],
    ['cheapest', [3000, undefined, 1000, 990, 2000]],
    ['fastest', [600, 5900, 2400, 1200, undefined]],
    ['value', [3000, undefined, 1300, 4356, 2000]],
  ]
  test.for(cases)('%s', ([strategy, expected]) => {
    const told = scores(strategy, pool, { expectedTokens })
    expect(told.map((score) => score && Math.round(score * 1000) / 1000)).toEqual(expected)
  })

  test('balanced: chances that sum to 1', () => {
    const told = scores('balanced', pool, { expectedTokens })
    expect(told.reduce<number>((sum, chance) => sum + (chance ?? 0), 0)).toBeCloseTo(1)
    expect((told[2] ?? 0) / (told[0] ?? 1)).toBeCloseTo(9)
  })
})

const aRow: fc.Arbitrary<Row> = fc.record({
  cost: fc.option(fc.oneof(fc.nat(10_000), fc.constant(0)), { nil: undefined }),
  share: fc.constantFrom(0, 0.3, 1),
  successRate: fc.constantFrom(0, 0.5, 1),
  firstTokenMs: fc.option(fc.nat(1000), { nil: undefined }),
  tokensPerSecond: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  deployment: fc.record({ weight: fc.nat(3) }),
})
