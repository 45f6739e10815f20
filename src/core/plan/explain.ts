import type { Deployment, Presence } from '../model/ports.ts'
import type { Price, PriceOrigin } from '../model/price.ts'
import type { StrategyName } from '../model/terms.ts'
import type { Candidate } from './strategies/candidate.ts'
import { scores } from './strategies/strategies.ts'
import type { Filter, Removal } from './suitability.ts'

/** The routing decision for a call if it were made now, with its reasons. */
export type Explanation = {
  readonly model: string
  /** The name or pattern of the route that matched. */
  readonly pattern: string
  readonly strategy: StrategyName
  /** Both are estimates, used for routing only. */
  readonly promptTokens: number
  readonly expectedCompletionTokens: number
  readonly candidates: readonly ExplainedCandidate[]
  /**
   * Ids of deployments in the order of attempts, repeated where retries are allowed; empty when no deployment takes the
   * call.
   */
  readonly plan: readonly string[]
  /** The deployments of `plan`, in its order. */
  readonly places: readonly Deployment[]
}

export type ExplainedCandidate = {
  readonly deployment: string
  readonly provider: string
  readonly upstreamModel: string
  readonly price: Price
  /** Undefined if the price is unknown, or its source is. */
  readonly priceOrigin: PriceOrigin | undefined
  /** Undefined if it is unknown whether the provider has the model. */
  readonly presence: Presence | undefined
  /** Fractional; undefined if the price is unknown. */
  readonly expectedNanoUsd: number | undefined
  /** The value the strategy sorted by; undefined if it sorts by none. */
  readonly score: number | undefined
  readonly breaker: string
  readonly share: number
  /** Undefined if the deployment may be tried. */
  readonly removedBy: { readonly filter: Filter | 'key'; readonly reason: string } | undefined
}

/** One model's deployments, as weighed for a call. */
export type WeighedCandidates = {
  readonly model: string
  readonly strategy: StrategyName
  /** The expected answer, for the score. */
  readonly expectedTokens: number
  /** Including deployments without a usable key. */
  readonly all: readonly Candidate[]
  readonly candidates: readonly Candidate[]
  readonly removed: readonly Removal[]
}

/** Why each candidate is or is not tried. */
export function explainedCandidates({
  model,
  strategy,
  expectedTokens,
  all,
  candidates,
  removed,
}: WeighedCandidates): readonly ExplainedCandidate[] {
  const scored = scores(strategy, candidates, { expectedTokens })
  return all.map((candidate) => {
    const at = candidates.indexOf(candidate)
    if (at === -1) return explainedOf(candidate, model, undefined, withoutKey)
    const removal = removed.find(({ deployment }) => deployment === candidate.deployment)
    const removedBy = removal && { filter: removal.filter, reason: removal.reason }
    return explainedOf(candidate, model, scored[at], removedBy)
  })
}

const withoutKey = {
  filter: 'key',
  reason: 'has no key, and the request brings none that it accepts',
} as const

function explainedOf(
  { deployment, expectedNanoUsd, standing }: Candidate,
  model: string,
  score: number | undefined,
  removedBy: ExplainedCandidate['removedBy'],
): ExplainedCandidate {
  return {
    deployment: deployment.id,
    provider: deployment.upstream.name,
    upstreamModel: deployment.upstreamModel ?? model,
    price: deployment.price,
    priceOrigin: deployment.priceOrigin,
    presence: deployment.presence,
    expectedNanoUsd,
    score,
    breaker: standing.breaker,
    share: standing.share,
    removedBy,
  }
}
