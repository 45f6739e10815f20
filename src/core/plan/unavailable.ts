import { Failure } from '../model/failure.ts'
import type { Presence } from '../model/ports.ts'

/** Why a deployment gets no calls. The text follows its name in a sentence. */
export function unavailableReason({ state, sinceEpochMs, successor }: Presence, provider: string): string {
  const since =
    sinceEpochMs === undefined ? '' : ` since ${new Date(sinceEpochMs).toISOString().slice(0, 10)}`
  const next = successor === undefined ? '' : `; its successor there is ${successor}`
  return `${words[state]} at ${provider}${since}${next}`
}

/** The error for a model that no provider has any more. */
export function unavailableFailure(removed: readonly { readonly reason: string }[]): Failure {
  const reasons = [...new Set(removed.map(({ reason }) => reason))].join(', and it ')
  const message = `The model is no longer available: it ${reasons}.`
  return new Failure('model_not_found', message, { param: 'model' })
}

/** The same failure, naming the successors of the model. */
export function withSuccessors(failure: Failure, successors: readonly string[]): Failure {
  if (successors.length === 0) return failure
  return failure.saying(`${failure.message} The nearest available model is ${anyOf.format(successors)}.`)
}

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })

const words = {
  retired: 'is retired',
  unlisted: 'is not listed',
  unpriced: 'is listed without a price',
  listed: 'is listed',
} as const satisfies Record<Presence['state'], string>
