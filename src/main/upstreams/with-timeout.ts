import { Failure } from '../../core/model/failure.ts'
import type { Upstream } from '../../core/model/ports.ts'

export type Bounds = {
  /** Aborts when the answer is no longer needed. */
  readonly signal: AbortSignal
  /** The maximum time for the answer. */
  readonly timeoutMs: number
}

/** The answer of an upstream to a request other than a call. Rejects as the upstream does, or with `timeout`. */
export async function withTimeout<T>(
  { name: provider }: Pick<Upstream, 'name'>,
  question: (signal: AbortSignal) => Promise<T>,
  { signal, timeoutMs }: Bounds,
): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort(new Failure('timeout', 'The upstream did not answer in time.', { provider }))
  }, timeoutMs)
  timer.unref()
  try {
    return await question(AbortSignal.any([signal, late.signal]))
  } finally {
    clearTimeout(timer)
  }
}
