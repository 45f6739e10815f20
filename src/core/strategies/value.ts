import type { Candidate } from '../candidate.ts'
import { expectedMs } from './fastest.ts'
import { measuring, nowAndThen } from './measuring.ts'
import { giveWay, moveFirst, rank } from './ranking.ts'
import type { Incumbent, Scores, Strategy } from './strategy.ts'

/**
 * By what a good answer costs: the expected cost over the success rate, raised for slowness. The last winner keeps
 * its place unless another is better by a margin, and now and then another goes first, so that a recovery is
 * noticed. An unknown cost comes last, but for a try where only a try can tell.
 */
export const value: Strategy = {
  order(candidates, parts) {
    const scores = this.scores(candidates, parts)
    const ranked = damped(candidates, scores, parts.incumbent)
    const explored = measuring(exploring(ranked, parts.random), candidates, parts.random)
    return giveWay(explored, parts.random)
  },
  scores(candidates, { expectedTokens }) {
    const times = candidates.map(({ standing }) => expectedMs(standing, expectedTokens))
    let fastestMs = Number.POSITIVE_INFINITY
    for (const time of times) if (time !== undefined && time < fastestMs) fastestMs = time
    return candidates.map(({ expectedNanoUsd, standing }, place) => {
      if (expectedNanoUsd === undefined) return undefined
      const goodAnswer = expectedNanoUsd / Math.max(standing.successRate, leastSuccessRate)
      return goodAnswer * slowness(times[place], fastestMs)
    })
  },
}

/** Against dividing by nothing. */
const leastSuccessRate = 0.01

/** Each time the fastest one's time that an answer takes longer is worth a tenth of its price, up to its price. */
const slownessPerFastest = 0.1
const mostSlowness = 2

/** The part of the calls that goes to another than the best. */
const explorationShare = 1 / 50

/** By how much another must be better to take the place of the last winner. */
const margin = 0.1

/** 1 for the fastest, and for one that was never measured. */
function slowness(timeMs: number | undefined, fastestMs: number): number {
  if (timeMs === undefined || timeMs <= fastestMs) return 1
  return Math.min(mostSlowness, 1 + slownessPerFastest * (timeMs / Math.max(fastestMs, 1) - 1))
}

function damped(
  candidates: readonly Candidate[],
  scores: Scores,
  incumbent: Incumbent,
): readonly Candidate[] {
  const ranked = rank(candidates, scores)
  const [best] = ranked
  if (best === undefined || best.expectedNanoUsd === undefined) return ranked
  // As a rule: the others need not be looked through for the one that holds the place.
  if (best.deployment.id === incumbent.id) return ranked
  const held = candidates.findIndex(({ deployment }) => deployment.id === incumbent.id)
  const holder = candidates[held]
  const heldScore = scores[held]
  const bestScore = scores[candidates.indexOf(best)] ?? 0
  const stays = holder !== undefined && heldScore !== undefined && bestScore >= heldScore * (1 - margin)
  const winner = stays ? holder : best
  incumbent.id = winner.deployment.id
  return moveFirst(ranked, winner)
}

/** Only where the cost is known: no price is found out by paying it. */
function exploring(ranked: readonly Candidate[], random: () => number): readonly Candidate[] {
  const isOther = ({ expectedNanoUsd }: Candidate, rank: number) => rank > 0 && expectedNanoUsd !== undefined
  return nowAndThen(ranked, isOther, explorationShare, random)
}
