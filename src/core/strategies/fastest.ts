import type { Candidate, Standing } from '../candidate.ts'
import { giveWay, moveFirst, pick, rank } from './ranking.ts'
import type { OrderParts, Strategy } from './strategy.ts'

/** By the time until the whole answer is there. Those never measured come last, but for a try now and then. */
export const fastest: Strategy = {
  order(candidates, parts) {
    const times = this.scores(candidates, parts)
    const ranked = rank(candidates, times)
    const unmeasured = candidates.filter((_, place) => times[place] === undefined)
    return giveWay(measuring(ranked, unmeasured, parts), parts.random)
  },
  scores: (candidates, { expectedTokens }) =>
    candidates.map(({ standing }) => expectedMs(standing, expectedTokens)),
}

/** How long an answer of so many tokens takes there; undefined where nothing was measured. */
export function expectedMs(standing: Standing, tokens: number): number | undefined {
  const { firstTokenMs, tokensPerSecond } = standing
  if (tokensPerSecond === undefined) return firstTokenMs
  return (firstTokenMs ?? 0) + (tokens * 1000) / tokensPerSecond
}

/** The part of the calls that goes to one that was never measured, while there is one. */
const measuringShare = 1 / 20

function measuring(
  ranked: readonly Candidate[],
  unmeasured: readonly Candidate[],
  { random }: OrderParts,
): readonly Candidate[] {
  if (unmeasured.length === 0 || random() >= measuringShare) return ranked
  const chosen = pick(unmeasured, random)
  return chosen === undefined ? ranked : moveFirst(ranked, chosen)
}
