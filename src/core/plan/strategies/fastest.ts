import type { HealthSnapshot } from '../../health/health-snapshot.ts'
import type { Candidate } from './candidate.ts'
import { anyFirst } from './measuring.ts'
import { giveWay, rank } from './ranking.ts'
import { type Strategy, scoresOf } from './strategy.ts'

/**
 * Sorts by the expected time to the whole answer. Deployments that were never measured come last, except for an
 * occasional trial.
 */
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

/** The expected duration of an answer with this many tokens; undefined if nothing was measured. */
export function expectedMs(standing: HealthSnapshot, tokens: number): number | undefined {
  const { firstTokenMs, tokensPerSecond } = standing
  if (tokensPerSecond === undefined) return firstTokenMs
  return (firstTokenMs ?? 0) + (tokens * 1000) / tokensPerSecond
}

/** The share of calls that measure a deployment for the first time. */
const measuringShare = 1 / 20

function isUntimed({ standing }: Candidate): boolean {
  return standing.firstTokenMs === undefined && standing.tokensPerSecond === undefined
}
