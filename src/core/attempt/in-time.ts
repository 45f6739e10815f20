import pTimeout from 'p-timeout'
import type { AnyCall } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import type { AttemptParts } from './open-attempt.ts'

/** The work's result, or a `timeout` when neither the clock nor its share of the call's time leaves it more. */
export function inTime<T>(parts: AttemptParts<AnyCall>, work: Promise<T>, clockMs: number): Promise<T> {
  const leftMs = Math.min(clockMs, (parts.commitBy ?? parts.context.deadlineAt) - parts.context.clock.now())
  // Without a fallback, an Error is built, stack and all, for every call that is in time.
  const fallback = () => {
    throw silence(parts)
  }
  return pTimeout(work, { milliseconds: Math.max(leftMs, 1), fallback })
}

/** What an upstream is charged with that let a clock run out. */
export function silence({ deployment }: AttemptParts<AnyCall>): Failure {
  const provider = deployment.upstream.name
  return new Failure('timeout', 'The upstream did not answer in time.', { provider })
}
