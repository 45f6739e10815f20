import type { HealthSnapshot } from '../../health/health-snapshot.ts'
import type { Candidate } from './candidate.ts'
import { anyFirst } from './measuring.ts'
import { giveWay, rank } from './ranking.ts'
import { scoresOf } from './scoring.ts'
import type { Strategy } from './strategy.ts'

/** By the time until the whole answer is there. Those never measured come last, but for a try now and then. */
export const fastest: Strategy = {
  order(candidates, parts) {
    const times = this.scores(candidates, parts)
    const ranked = rank(candidates, times, parts)
    const isToMeasure = times.includes(Number.NaN) && parts.random() < measuringShare
    const measured = isToMeasure ? anyFirst(ranked, candidates.filter(isUntimed), parts.random) : ranked
    return giveWay(measured, parts)
  },
  scores: (candidates, { expectedTokens }) =>
    scoresOf(candidates, ({ standing }) => expectedMs(standing, expectedTokens)),
}

/** How long an answer of so many tokens takes there; undefined where nothing was measured. */
export function expectedMs(standing: HealthSnapshot, tokens: number): number | undefined {
  const { firstTokenMs, tokensPerSecond } = standing
  if (tokensPerSecond === undefined) return firstTokenMs
  return (firstTokenMs ?? 0) + (tokens * 1000) / tokensPerSecond
}

/** The part of the calls that goes to one that was never measured, while there is one. */
const measuringShare = 1 / 20

function isUntimed({ standing }: Candidate): boolean {
  return standing.firstTokenMs === undefined && standing.tokensPerSecond === undefined
}
