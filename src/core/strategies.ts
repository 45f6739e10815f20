import type { Candidate } from './candidate.ts'
import type { StrategyName } from './model.ts'
import { fastest } from './strategies/fastest.ts'
import { measuring } from './strategies/measuring.ts'
import { draw, giveWay, rank } from './strategies/ranking.ts'
import type { OrderParts, Scores, Strategy } from './strategies/strategy.ts'
import { value } from './strategies/value.ts'

/** The candidates as the strategy has them, best first. Pure but for `parts.incumbent` and `parts.random`. */
export function order(
  strategy: StrategyName,
  candidates: readonly Candidate[],
  parts: OrderParts,
): readonly Candidate[] {
  return strategies[strategy].order(candidates, parts)
}

/**
 * What the strategy goes by, in the places of the candidates: nano-USD for `cheapest` and `value`, milliseconds for
 * `fastest`, the chance of being first for `weighted` and `balanced`; undefined where it is not known, and for all
 * where only the written order counts.
 */
export function scores(
  strategy: StrategyName,
  candidates: readonly Candidate[],
  parts: Pick<OrderParts, 'expectedTokens'>,
): Scores {
  return strategies[strategy].scores(candidates, parts)
}

/** As written. */
const fallback: Strategy = {
  order: (candidates, { random }) => giveWay(candidates, random),
  scores: (candidates) => candidates.map(() => undefined),
}

/** The first as written, and no other in its stead. */
const first: Strategy = {
  order: (candidates) => candidates.slice(0, 1),
  scores: fallback.scores,
}

/** At random, by weight. One of weight 0 gets a call only when nothing else is left to try. */
const weighted: Strategy = {
  order: (candidates, { random }) => draw(candidates, candidates.map(weightOf), random),
  scores: (candidates) => chances(candidates.map(weightOf)),
}

function weightOf({ deployment: { weight }, standing: { share } }: Candidate): number | undefined {
  return weight === 0 ? undefined : weight * share
}

/** By what the call will cost there; an unknown cost comes after every known one, but for a try that can tell. */
const cheapest: Strategy = {
  order(candidates, parts) {
    const ranked = rank(candidates, this.scores(candidates, parts))
    return giveWay(measuring(ranked, candidates, parts.random), parts.random)
  },
  scores: (candidates) => candidates.map(({ expectedNanoUsd }) => expectedNanoUsd),
}

/** At random, three times the cost a ninth of the calls; an unknown cost as with `cheapest`. */
const balanced: Strategy = {
  order: (candidates, { random }) =>
    measuring(draw(candidates, candidates.map(cheapnessOf), random), candidates, random),
  scores: (candidates) => chances(candidates.map(cheapnessOf)),
}

/** What costs nothing is taken to cost a nano-USD: several such still share the calls. */
function cheapnessOf({ expectedNanoUsd, standing: { share } }: Candidate): number | undefined {
  return expectedNanoUsd === undefined ? undefined : share / Math.max(expectedNanoUsd, 1) ** 2
}

const strategies: Readonly<Record<StrategyName, Strategy>> = {
  fallback,
  first,
  weighted,
  cheapest,
  fastest,
  balanced,
  value,
}

function chances(weights: Scores): Scores {
  let sum = 0
  for (const weight of weights) sum += weight ?? 0
  return sum === 0 ? weights : weights.map((weight) => (weight === undefined ? undefined : weight / sum))
}
