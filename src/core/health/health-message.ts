import type { Failure } from '../model/failure.ts'

/**
 * A message between nodes about a deployment, or about one model there: its upstream reported when a rate limit resets,
 * or refuses our key. Everything else each node measures itself.
 */
export type HealthMessage = {
  readonly deployment: string
  /** Undefined: the deployment as a whole. */
  readonly model: string | undefined
} & ({ readonly said: 'limited'; readonly retryAfterMs: number } | { readonly said: 'key_refused' })

/** The message about a failure; undefined: none. `before` and `until`: when its limit ended before, and ends now. */
export function healthMessageOn(
  failure: Failure,
  subject: Pick<HealthMessage, 'deployment' | 'model'>,
  { before, until }: { readonly before: number | undefined; readonly until: number | undefined },
): HealthMessage | undefined {
  const { blame, kind, retryAfterMs } = failure
  if (blame === 'load' && retryAfterMs !== undefined) {
    // Of many simultaneous refusals, only the first is published.
    const isChange = (until ?? 0) - (before ?? Number.NEGATIVE_INFINITY) > leastChangeMs
    return isChange ? { ...subject, said: 'limited', retryAfterMs } : undefined
  }
  return kind === 'upstream_auth' && blame === 'operator' ? { ...subject, said: 'key_refused' } : undefined
}

const leastChangeMs = 500
