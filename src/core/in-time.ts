import pTimeout from 'p-timeout'
import type { AttemptParts } from './attempt-trace.ts'
import { Failure } from './failure.ts'
import type { AnyCall } from './model.ts'

/** The work's result, or a `timeout` when neither the clock nor the call's deadline leaves it more time. */
export async function inTime<T>(
  parts: AttemptParts<AnyCall>,
  work: Promise<NonNullable<T>>,
  clockMs: number,
): Promise<NonNullable<T>> {
  const leftMs = Math.min(clockMs, parts.deadlineAt - parts.clock.now())
  // `message: false` spares building an Error, stack and all, for every call that is in time.
  const result = await pTimeout(work, { milliseconds: Math.max(leftMs, 1), message: false })
  if (result === undefined) throw silence(parts)
  return result
}

/** What an upstream is charged with that let a clock run out. */
export function silence({ deployment }: AttemptParts<AnyCall>): Failure {
  const provider = deployment.upstream.name
  return new Failure('timeout', 'The upstream did not answer in time.', { provider })
}
