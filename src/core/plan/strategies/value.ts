import type { Candidate } from './candidate.ts'
import { expectedMs } from './fastest.ts'
import { anyFirst, measuring } from './measuring.ts'
import { giveWay, moveFirst, rank } from './ranking.ts'
import { type OrderParts, type Scores, type Strategy, scoresOf } from './strategy.ts'

/**
 * Sorts by the cost of a good answer: expected cost divided by the success rate, raised for slowness. The last winner
 * keeps its place unless another is better by a margin. Occasionally another goes first, so that a recovery is noticed.
 * Unknown costs come last, except for a measuring call.
 */
export const value: Strategy = {
  order(candidates, parts) {
    const scores = this.scores(candidates, parts)
    const ranked = damped(candidates, scores, parts)
    const isToExplore = parts.random() < explorationShare
    const explored = isToExplore ? anyFirst(ranked, othersOf(candidates, ranked), parts.random) : ranked
    return giveWay(measuring(explored, candidates, parts), parts)
  },
  scores(candidates, { expectedTokens }) {
    const times = scoresOf(candidates, ({ standing }) => expectedMs(standing, expectedTokens))
    const fastestMs = leastOf(times)
    return scoresOf(candidates, ({ expectedNanoUsd, standing }, place) => {
      if (expectedNanoUsd === undefined) return undefined
      const goodAnswer = expectedNanoUsd / Math.max(standing.successRate, leastSuccessRate)
      return goodAnswer * slowness(times[place], fastestMs)
    })
  },
}

/** Avoids division by zero. */
const leastSuccessRate = 0.01

/** Each multiple of the fastest answer's time adds a tenth of the price, at most the price itself. */
const slownessPerFastest = 0.1
const mostSlowness = 2

/** The share of calls that goes to another than the best. */
const explorationShare = 1 / 50

/** How much better another must be to replace the last winner. */
const margin = 0.1

/** Infinity for an empty list. */
function leastOf(times: Scores): number {
  let least = Number.POSITIVE_INFINITY
  for (const time of times) if (time < least) least = time
  return least
}

/** 1 for the fastest, and for those never measured. */
function slowness(timeMs = Number.NaN, fastestMs: number): number {
  if (!(timeMs > fastestMs)) return 1
  return Math.min(mostSlowness, 1 + slownessPerFastest * (timeMs / Math.max(fastestMs, 1) - 1))
}

function damped(candidates: readonly Candidate[], scores: Scores, parts: OrderParts): readonly Candidate[] {
  const { incumbent } = parts
  const ranked = rank(candidates, scores, parts)
  const [best] = ranked
  if (best === undefined || best.expectedNanoUsd === undefined) return ranked
  // The usual case: no search through the others is needed.
  if (best.id === incumbent.id) return ranked
  const held = candidates.findIndex(({ id }) => id === incumbent.id)
  const holder = candidates[held]
  const heldScore = scores[held] ?? Number.NaN
  const bestScore = scores[candidates.indexOf(best)] ?? 0
  const stays = holder !== undefined && bestScore >= heldScore * (1 - margin)
  const winner = stays ? holder : best
  incumbent.id = winner.id
  return moveFirst(ranked, winner)
}

/** Those behind the winner with a known cost: paying does not reveal a price. */
function othersOf(candidates: readonly Candidate[], [winner]: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter((one) => one !== winner && one.expectedNanoUsd !== undefined)
}
