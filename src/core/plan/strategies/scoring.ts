import type { Candidate } from './candidate.ts'
import type { Scores } from './strategy.ts'

/** Scores the candidates, in their order. */
export function scoresOf(
  candidates: readonly Candidate[],
  scoreOf: (candidate: Candidate, place: number) => number | undefined,
): Scores {
  const scores = new Array<number>(candidates.length)
  for (let place = 0; place < candidates.length; place++) {
    const candidate = candidates[place]
    scores[place] = (candidate && scoreOf(candidate, place)) ?? Number.NaN
  }
  return scores
}
