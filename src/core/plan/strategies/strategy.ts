import type { Random } from '../../model/ports.ts'
import type { Candidate } from './candidate.ts'

/** A way to put candidates in order. */
export interface Strategy {
  /** Every candidate once, best first, or those of the first `places` at least; only `first` leaves out others. */
  order(candidates: readonly Candidate[], parts: OrderParts): readonly Candidate[]
  /**
   * What the order goes by, in the places of the candidates: for those who ask why. NaN for one of which it is not
   * known.
   */
  scores(candidates: readonly Candidate[], parts: Pick<OrderParts, 'expectedTokens'>): Scores
}

/** Numbers alone, and NaN for what is not known: with anything else among them, each would be an object of its own. */
export type Scores = readonly number[]

export type OrderParts = {
  readonly random: Random
  /** How many tokens the answer is expected to have. */
  readonly expectedTokens: number
  /** So many of the first places are wanted; absent: all. */
  readonly places?: number
  /** True: none limits its rate or is to be measured, which spares looking for one. */
  readonly isCalm?: boolean
  /** The route's own; a copy for an order that is only to be looked at. */
  readonly incumbent: Incumbent
}

/** The deployment that won last, where the strategy minds it. */
export type Incumbent = { id: string | undefined }
