import pTimeout from 'p-timeout'
import type { AnyCall } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import type { AttemptParts } from './open-attempt.ts'

/** The work's result, or a `timeout` when the clock or the attempt's share of the deadline runs out. */
export function inTime<T>(parts: AttemptParts<AnyCall>, work: Promise<T>, clockMs: number): Promise<T> {
  const leftMs = Math.min(clockMs, (parts.commitBy ?? parts.context.deadlineAt) - parts.context.clock.now())
  // A fallback function: without one, p-timeout creates an Error with its stack for every call that is in time.
  const fallback = () => {
    throw silence(parts)
  }
  return pTimeout(work, { milliseconds: Math.max(inSteps(leftMs), 1), fallback })
}

/**
 * Node keeps one list of timers per duration. Remaining deadlines differ from call to call, and creating and dropping
 * lists took 3 % of the event loop. With rounding, a long wait ends at most one percent late.
 */
function inSteps(ms: number): number {
  return ms < 10_000 ? ms : Math.ceil(ms / stepMs) * stepMs
}

const stepMs = 100

/** The failure of an upstream that let a clock run out. */
export function silence({ deployment }: AttemptParts<AnyCall>): Failure {
  const provider = deployment.upstream.name
  return new Failure('timeout', 'The upstream did not answer in time.', { provider })
}
