import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Random } from '../../../../src/core/model/ports.ts'
import type { StrategyName } from '../../../../src/core/model/terms.ts'
import type { Candidate } from '../../../../src/core/plan/strategies/candidate.ts'
import { order } from '../../../../src/core/plan/strategies/strategies.ts'
import { namesOf, poolOf, type Row, seeded } from '../../../harness/core/pool.ts'
import { expectedTokens, near, shares } from '../../../harness/core/random-draws.ts'

const all: readonly StrategyName[] = ['fallback', 'weighted', 'cheapest', 'fastest', 'balanced', 'value']

describe.for(all)('%s, if only the first places are needed', (strategy) => {
  // Fewer draws leave other random numbers for measuring calls.
  const rows = strategy === 'balanced' ? aRow.map((row) => ({ ...row, isUnmeasured: false })) : aRow

  test('has the same candidates there as if all were needed', () => {
    fc.assert(
      fc.property(
        fc.array(rows, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        (list, places, seed) => {
          const candidates = poolOf(Object.fromEntries(list.map((row, place) => [`p${place}`, row])))
          const whole = names(strategy, candidates, seeded(seed))
          const first = names(strategy, candidates, seeded(seed), places)
          expect(first.length).toBeGreaterThanOrEqual(Math.min(places, candidates.length))
          expect(first.slice(0, places)).toEqual(whole.slice(0, places))
        },
      ),
      { numRuns: 500, seed: 1 },
    )
  })

  test('skips the search for what does not exist', () => {
    const calm = fc.array(
      aRow.map((row) => ({ ...row, share: 1, isUnmeasured: false })),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(calm, fc.nat(), (list, seed) => {
        const candidates = poolOf(Object.fromEntries(list.map((row, place) => [`p${place}`, row])))
        expect(names(strategy, candidates, seeded(seed), 3, true)).toEqual(
          names(strategy, candidates, seeded(seed), 3),
        )
      }),
      { numRuns: 200, seed: 2 },
    )
  })
})

test('a single needed place is drawn by weight', () => {
  const pool = poolOf({ one: {}, two: { deployment: { weight: 2 } }, five: { deployment: { weight: 5 } } })
  const random = seeded(3)
  near(
    shares(() => names('weighted', pool, random, 1)[0]),
    { one: 1 / 8, two: 2 / 8, five: 5 / 8 },
  )
})

test('the second is drawn from the rest, however small its weight beside the first', () => {
  const pool = poolOf({ free: { cost: 0 }, dear: { cost: 1e9 }, dearer: { cost: 3e9 } })
  const random = seeded(4)
  near(
    shares(() => names('balanced', pool, random, 2)[1]),
    { dear: 0.9, dearer: 0.1 },
  )
})

describe('of many, all needed', () => {
  test('each place is drawn by the weights of the rest; those without a weight go last', () => {
    const pool = poolOf({
      ...manyOf(30, { share: 0 }),
      ...{ drained: { deployment: { weight: 0 } }, one: {}, three: { deployment: { weight: 3 } } },
      six: { deployment: { weight: 6 } },
    })
    const random = seeded(5)
    const drawn = () => names('weighted', pool, random)
    near(
      shares(() => drawn()[0]),
      { one: 0.1, three: 0.3, six: 0.6 },
    )
    near(
      shares(() => drawn()[1]),
      { one: 0.3 / 7 + 0.6 / 4, three: 0.3 / 9 + 1.8 / 4, six: 0.6 / 9 + 1.8 / 7 },
    )
    expect(drawn().slice(3)).toEqual([...Object.keys(manyOf(30)), 'drained'])
  })

  test.for([60, 300])('%i are ranked like a few: ties keep their order, unknown ones go last', (count) => {
    const costs = Array.from({ length: count }, (_, place) =>
      place % 7 === 0 ? undefined : (place * 31) % 50,
    )
    const pool = poolOf(Object.fromEntries(costs.map((cost, place) => [`p${place}`, { cost }])))
    const known = costs.flatMap((cost, place) => (cost === undefined ? [] : [{ cost, name: `p${place}` }]))
    const unknown = costs.flatMap((cost, place) => (cost === undefined ? [`p${place}`] : []))
    const inOrder = known.toSorted((one, other) => one.cost - other.cost).map(({ name }) => name)
    expect(names('cheapest', pool, () => 0.5)).toEqual([...inOrder, ...unknown])
  })
})

function manyOf(count: number, row: Row = {}): Readonly<Record<string, Row>> {
  return Object.fromEntries(Array.from({ length: count }, (_, place) => [`p${place}`, row]))
}

function names(
  strategy: StrategyName,
  candidates: readonly Candidate[],
  random: Random,
  places = candidates.length,
  isCalm = false,
): readonly string[] {
  const parts = { random, expectedTokens, incumbent: { id: undefined }, places, isCalm }
  return namesOf(order(strategy, candidates, parts))
}

const aRow: fc.Arbitrary<Row> = fc.record({
  cost: fc.option(fc.nat(20), { nil: undefined }),
  share: fc.constantFrom(0, 0.3, 1),
  successRate: fc.constantFrom(0, 0.5, 1),
  firstTokenMs: fc.option(fc.nat(20), { nil: undefined }),
  tokensPerSecond: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  isUnmeasured: fc.boolean(),
  deployment: fc.record({ weight: fc.nat(3) }),
})
