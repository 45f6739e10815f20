import type { StrategyName } from '../../model/terms.ts'
import type { Candidate } from './candidate.ts'
import { fastest } from './fastest.ts'
import { measuring } from './measuring.ts'
import { draw, giveWay, rank } from './ranking.ts'
import { type OrderParts, type Scores, type Strategy, scoresOf } from './strategy.ts'
import { value } from './value.ts'

/** Orders the candidates, best first. Pure except for `parts.incumbent` and `parts.random`. */
export function order(
  strategy: StrategyName,
  candidates: readonly Candidate[],
  parts: OrderParts,
): readonly Candidate[] {
  return strategies[strategy].order(candidates, parts)
}

/**
 * The values that the strategy sorts by, in the candidates' order: nano-USD for `cheapest` and `value`, milliseconds
 * for `fastest`, the probability of being first for `weighted` and `balanced`; undefined if unknown, and for all if
 * only the written order counts.
 */
export function scores(
  strategy: StrategyName,
  candidates: readonly Candidate[],
  parts: Pick<OrderParts, 'expectedTokens'>,
): readonly (number | undefined)[] {
  const found = strategies[strategy].scores(candidates, parts)
  return found.map((score) => (Number.isNaN(score) ? undefined : score))
}

/** The written order. */
const fallback: Strategy = {
  order: giveWay,
  scores: (candidates) => scoresOf(candidates, () => undefined),
}

/** Only the first of the written order. */
const first: Strategy = {
  order: (candidates) => candidates.slice(0, 1),
  scores: fallback.scores,
}

/** Random, by weight. Weight 0 gets a call only when nothing else is left. */
const weighted: Strategy = {
  order: (candidates, parts) => draw(candidates, scoresOf(candidates, weightOf), parts),
  scores: (candidates) => chances(scoresOf(candidates, weightOf)),
}

function weightOf({ weight, standing: { share } }: Candidate): number | undefined {
  return weight === 0 ? undefined : weight * share
}

/** By expected cost. Unknown costs come last, except for a measuring call. */
const cheapest: Strategy = {
  order(candidates, parts) {
    const ranked = rank(candidates, this.scores(candidates, parts), parts)
    return giveWay(measuring(ranked, candidates, parts), parts)
  },
  scores: (candidates) => scoresOf(candidates, ({ expectedNanoUsd }) => expectedNanoUsd),
}

/** Random: three times the cost gets a ninth of the calls. Unknown costs as with `cheapest`. */
const balanced: Strategy = {
  order: (candidates, parts) =>
    measuring(draw(candidates, scoresOf(candidates, cheapnessOf), parts), candidates, parts),
  scores: (candidates) => chances(scoresOf(candidates, cheapnessOf)),
}

/** Free counts as one nano-USD, so that several free deployments share the calls. */
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
