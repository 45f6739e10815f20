import { takesKind } from '../adapt/convert-kind.ts'
import type { Candidate } from './strategies/candidate.ts'
import { type Needs, type SuitableCandidates, sift } from './suitability.ts'

/** Filters the same candidates from call to call. The result is recomputed only when a call has other needs. */
export interface SuitabilityCache {
  /** Undefined if the result depends on more than `needs`. */
  sift(needs: Needs): SuitableCandidates | undefined
}

export function createSuitabilityCache(candidates: readonly Candidate[]): SuitabilityCache {
  const takeAll = candidates.every(
    ({ upstream }) => takesKind(upstream, 'text') && takesKind(upstream, 'chat'),
  )
  const known = new Map<number, SuitableCandidates>()
  return {
    sift(needs) {
      if (!needs.isPlain || !takeAll) return undefined
      const key = keyOf(needs)
      let sifted = known.get(key)
      if (sifted === undefined) {
        sifted = sift(candidates, needs, undefined)
        known.set(key, sifted)
      }
      return sifted
    },
  }
}

/** One bit per need. */
function keyOf({ relay, tools, jsonSchema, vision, logprobs }: Needs): number {
  let key = 0
  for (const isNeeded of [relay, tools, jsonSchema, vision, logprobs]) key = key * 2 + Number(isNeeded)
  return key
}
