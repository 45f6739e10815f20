import { expect } from 'vitest'
import type { Random } from '../../../src/core/model/ports.ts'
import type { StrategyName } from '../../../src/core/model/terms.ts'
import type { Candidate } from '../../../src/core/plan/strategies/candidate.ts'
import { order } from '../../../src/core/plan/strategies/strategies.ts'
import type { Incumbent } from '../../../src/core/plan/strategies/strategy.ts'
import { namesOf, seeded } from './pool.ts'

const draws = 20_000

/** How long every answer is expected to be, unless a test says otherwise. */
export const expectedTokens = 100

/** The names of the candidates in the order of a strategy. */
export function ordered(
  strategy: StrategyName,
  candidates: readonly Candidate[],
  random: Random,
  incumbent: Incumbent = { id: undefined },
  tokens = expectedTokens,
): readonly string[] {
  return namesOf(order(strategy, candidates, { random, expectedTokens: tokens, incumbent }))
}

/** The part of many draws in which each was first. */
export function firsts(strategy: StrategyName, candidates: readonly Candidate[], seed: number): Shares {
  const random = seeded(seed)
  const incumbent: Incumbent = { id: undefined }
  return shares(() => ordered(strategy, candidates, random, incumbent)[0])
}

export type Shares = Readonly<Record<string, number>>

/** The part of many draws that gave each name; those that gave none do not count. */
export function shares(draw: (turn: number) => string | undefined): Shares {
  const counts: Record<string, number> = {}
  let counted = 0
  for (let turn = 0; turn < draws; turn++) {
    const name = draw(turn)
    if (name === undefined) continue
    counts[name] = (counts[name] ?? 0) + 1
    counted++
  }
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / counted]))
}

/** Within `tolerance` for each: four standard deviations of 20 000 draws at one half are 0.014. */
export function near(actual: Shares, expected: Shares, tolerance = 0.015): void {
  for (const name of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const difference = Math.abs((actual[name] ?? 0) - (expected[name] ?? 0))
    expect(difference, `${name}: ${actual[name]}`).toBeLessThan(tolerance)
  }
}
