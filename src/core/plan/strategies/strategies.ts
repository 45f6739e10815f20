import type { StrategyName } from '../../model/terms.ts'
import type { Candidate } from './candidate.ts'
import { fastest } from './fastest.ts'
import { measuring } from './measuring.ts'
import { draw, giveWay, rank } from './ranking.ts'
import { scoresOf } from './scoring.ts'
import type { OrderParts, Scores, Strategy } from './strategy.ts'
import { value } from './value.ts'

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
): readonly (number | undefined)[] {
  const told = strategies[strategy].scores(candidates, parts)
  return told.map((score) => (Number.isNaN(score) ? undefined : score))
}

/** As written. */
const fallback: Strategy = {
  order: giveWay,
  scores: (candidates) => scoresOf(candidates, () => undefined),
}

/** The first as written, and no other. */
const first: Strategy = {
  order: (candidates) => candidates.slice(0, 1),
  scores: fallback.scores,
}

/** At random, by weight. One of weight 0 gets a call only when nothing else is left to try. */
const weighted: Strategy = {
  order: (candidates, parts) => draw(candidates, scoresOf(candidates, weightOf), parts),
  scores: (candidates) => chances(scoresOf(candidates, weightOf)),
}

function weightOf({ weight, standing: { share } }: Candidate): number | undefined {
  return weight === 0 ? undefined : weight * share
}

/** By what the call will cost there; an unknown cost comes after every known one, but for a try that can tell. */
const cheapest: Strategy = {
  order(candidates, parts) {
    const ranked = rank(candidates, this.scores(candidates, parts), parts)
    return giveWay(measuring(ranked, candidates, parts), parts)
  },
  scores: (candidates) => scoresOf(candidates, ({ expectedNanoUsd }) => expectedNanoUsd),
}

/** At random, three times the cost a ninth of the calls; an unknown cost as with `cheapest`. */
const balanced: Strategy = {
  order: (candidates, parts) =>
    measuring(draw(candidates, scoresOf(candidates, cheapnessOf), parts), candidates, parts),
  scores: (candidates) => chances(scoresOf(candidates, cheapnessOf)),
}

/** What costs nothing is taken to cost a nano-USD: several such still share the calls. */
function cheapnessOf({ expectedNanoUsd, standing: { share } }: Candidate): number | undefined {
  if (expectedNanoUsd === undefined) return undefined
  const costNanoUsd = Math.max(expectedNanoUsd, 1)
  return share / (costNanoUsd * costNanoUsd)
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
  for (const weight of weights) sum += weight > 0 ? weight : 0
  return sum === 0 ? weights : weights.map((weight) => weight / sum)
}
