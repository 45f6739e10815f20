import type { Deployment, Presence } from '../model/ports.ts'
import type { Price, PriceOrigin } from '../model/price.ts'
import type { StrategyName } from '../model/terms.ts'
import type { Candidate } from './strategies/candidate.ts'
import { scores } from './strategies/strategies.ts'
import type { Filter, Removal } from './suitability.ts'

/** Why a call would go where it would go, had it been made at this moment. */
export type Explanation = {
  readonly model: string
  /** The name or pattern of the route that took it. */
  readonly pattern: string
  readonly strategy: StrategyName
  /** Both as estimated for choosing. */
  readonly promptTokens: number
  readonly expectedCompletionTokens: number
  readonly candidates: readonly ExplainedCandidate[]
  /** Deployments in the order of trying, the same one again where it may be retried; empty when none takes it. */
  readonly plan: readonly string[]
  /** The same, themselves. */
  readonly places: readonly Deployment[]
}

export type ExplainedCandidate = {
  readonly deployment: string
  readonly provider: string
  readonly upstreamModel: string
  readonly price: Price
  /** Undefined where the price is not known or not kept. */
  readonly priceOrigin: PriceOrigin | undefined
  /** Undefined: whether the provider has the model is not known. */
  readonly presence: Presence | undefined
  /** With fractions; undefined where the price is not known. */
  readonly expectedNanoUsd: number | undefined
  /** What the strategy put it in order by; undefined where it goes by nothing of the kind. */
  readonly score: number | undefined
  readonly breaker: string
  readonly share: number
  /** Undefined: it may be tried. */
  readonly removedBy: { readonly filter: Filter | 'key'; readonly reason: string } | undefined
}

/** One model's deployments, as they were weighed for a call. */
export type WeighedCandidates = {
  readonly model: string
  readonly strategy: StrategyName
  /** Of an answer, for the score. */
  readonly expectedTokens: number
  /** With those that there is no key for. */
  readonly all: readonly Candidate[]
  readonly candidates: readonly Candidate[]
  readonly removed: readonly Removal[]
}

/** Why each of them is tried, or is not. */
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

const withoutKey = { filter: 'key', reason: 'has no key, and the request brings none that it takes' } as const

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
