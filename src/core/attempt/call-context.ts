import type { OpenRecord } from '../account/open-record.ts'
import type { HealthRegistry } from '../health/health-registry.ts'
import type { RetryBudget } from '../health/retry-budget.ts'
import type { Clock, Detokenizer, Random } from '../model/ports.ts'
import type { CallSteps } from '../model/steps.ts'

/** The state that all attempts of a call share. Created once per call. */
export type CallContext = {
  readonly record: OpenRecord
  /** When the call began and when it must be over, on the clock's monotonic milliseconds. */
  readonly startedAt: number
  readonly deadlineAt: number
  readonly clock: Clock
  readonly random: Random
  /** Decodes a prompt of token ids for upstreams that only chat; undefined: it is refused there. */
  readonly detokenizer: Detokenizer | undefined
  /** Issues a permit per attempt. Undefined: health is not tracked. */
  readonly standings: HealthRegistry | undefined
  /** Limits retries per upstream; undefined: no limit. */
  readonly retryBudget: RetryBudget | undefined
  /** Receives each step for the debug log; undefined: steps are not logged. */
  readonly steps?: CallSteps | undefined
}
