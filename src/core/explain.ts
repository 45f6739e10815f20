import type { StrategyName } from './model.ts'

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
}

export type ExplainedCandidate = {
  readonly deployment: string
  readonly provider: string
  readonly upstreamModel: string
  /** With fractions; undefined where the price is not known. */
  readonly expectedNanoUsd: number | undefined
  /** What the strategy put it in order by; undefined where it goes by nothing of the kind. */
  readonly score: number | undefined
  readonly breaker: string
  readonly share: number
  /** Undefined: it may be tried. */
  readonly removedBy: { readonly filter: string; readonly reason: string } | undefined
}
