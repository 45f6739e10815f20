import type { Candidate } from '../candidate.ts'
import type { Random } from '../ports.ts'

/** A way to put candidates in order. */
export interface Strategy {
  /** Every candidate once, best first; only `first` leaves any out. */
  order(candidates: readonly Candidate[], parts: OrderParts): readonly Candidate[]
  /**
   * What the order goes by, in the places of the candidates: for those who ask why. Undefined for one of which it
   * is not known.
   */
  scores(candidates: readonly Candidate[], parts: Pick<OrderParts, 'expectedTokens'>): Scores
}

export type Scores = readonly (number | undefined)[]

export type OrderParts = {
  readonly random: Random
  /** How many tokens the answer is expected to have. */
  readonly expectedTokens: number
  /** The route's own; a copy for an order that is only to be looked at. */
  readonly incumbent: Incumbent
}

/** The deployment that won last, where the strategy minds it. */
export type Incumbent = { id: string | undefined }
