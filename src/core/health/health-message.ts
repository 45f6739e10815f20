import type { Failure } from '../model/failure.ts'

/**
 * What one node tells the others of a deployment, or of one model there: its upstream has named the time of its limit,
 * or refuses a key of ours. All else each node finds out for itself.
 */
export type HealthMessage = {
  readonly deployment: string
  /** Undefined: the deployment as a whole. */
  readonly model: string | undefined
} & ({ readonly said: 'limited'; readonly retryAfterMs: number } | { readonly said: 'key_refused' })

/**
 * What a failure is worth telling; undefined: nothing. `before` and `until`: how long its limit held, and holds now.
 */
export function healthMessageOn(
  failure: Failure,
  place: Pick<HealthMessage, 'deployment' | 'model'>,
  { before, until }: { readonly before: number | undefined; readonly until: number | undefined },
): HealthMessage | undefined {
  const { blame, kind, retryAfterMs } = failure
  if (blame === 'load' && retryAfterMs !== undefined) {
    // Of many refusals at once, the first says it all.
    const isNews = (until ?? 0) - (before ?? Number.NEGATIVE_INFINITY) > newsMs
    return isNews ? { ...place, said: 'limited', retryAfterMs } : undefined
  }
  return kind === 'upstream_auth' && blame === 'operator' ? { ...place, said: 'key_refused' } : undefined
}

const newsMs = 500
