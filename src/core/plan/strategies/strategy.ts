import type { Random } from '../../model/ports.ts'
import type { Candidate } from './candidate.ts'

/** A way to order candidates. */
export interface Strategy {
  /** Every candidate once, best first, or at least the first `places`; only `first` leaves any out. */
  order(candidates: readonly Candidate[], parts: OrderParts): readonly Candidate[]
  /** The sort keys in the candidates' order, for explain. NaN if unknown. */
  scores(candidates: readonly Candidate[], parts: Pick<OrderParts, 'expectedTokens'>): Scores
}

/** Numbers only, NaN if unknown: in a mixed array V8 would box each number. */
export type Scores = readonly number[]

export type OrderParts = {
  readonly random: Random
  /** The expected output tokens. */
  readonly expectedTokens: number
  /** How many first places are needed; absent: all. */
  readonly places?: number
  /** True: no candidate is rate limited or needs measuring, so the search for them is skipped. */
  readonly isCalm?: boolean
  /** The route's own object; a copy for explain, which changes nothing. */
  readonly incumbent: Incumbent
}

/** The deployment that won last, if the strategy uses it. */
export type Incumbent = { id: string | undefined }

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
