import type { Answer } from './attempt/attempt.ts'
import type { Hedging } from './attempt/walk.ts'
import type { HealthRegistry } from './health/health-registry.ts'
import type { RetryBudget } from './health/retry-budget.ts'
import type { Clock, Detokenizer, Random, TokenCounter } from './model/ports.ts'
import type { Steps } from './model/steps.ts'
import type { Planner } from './plan/planner.ts'

export type GatewayParts = {
  readonly planner: Planner
  readonly standings: HealthRegistry
  readonly counter: TokenCounter
  readonly detokenizer: Detokenizer
  readonly clock: Clock
  readonly random: Random
  readonly limits: GatewayLimits
  /** Bounds how often an upstream is asked again; undefined: nothing does. */
  readonly retryBudget?: RetryBudget | undefined
  /** A slow stream gets a second attempt beside it; undefined: none does. */
  readonly hedging?: Hedging<Answer> | undefined
  /** Hears each step of a call as it is taken; undefined: nobody does. */
  readonly steps?: Steps | undefined
}

export type GatewayLimits = {
  /** How long one call may take in all, retries and fallbacks included. */
  readonly deadlineMs: number
  /** How many parts of one call run at once. */
  readonly fanOut: number
  /** How many choices one call may ask for, over all its prompts. */
  readonly choices: number
  /** A stream that breaks off goes on at another deployment, where one can take it up. */
  readonly continueStreams: boolean
}
