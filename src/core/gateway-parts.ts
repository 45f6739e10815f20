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
  /** Limits retries per upstream; undefined: no limit. */
  readonly retryBudget?: RetryBudget | undefined
  /** Gives a slow answer a second attempt; undefined: none. */
  readonly hedging?: Hedging<Answer> | undefined
  /** Receives each step of a call for the debug log; undefined: steps are not logged. */
  readonly steps?: Steps | undefined
}

export type GatewayLimits = {
  /** The deadline of a call, retries and fallbacks included. */
  readonly deadlineMs: number
  /** How many parts of a call run at once. */
  readonly fanOut: number
  /** How many choices a call may ask for, over all its prompts. */
  readonly choices: number
  /** Whether a stream that breaks off is continued at another deployment. */
  readonly continueStreams: boolean
}
