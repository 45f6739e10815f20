import type { Failure } from '../model/failure.ts'
import type { AttemptRecord } from '../model/record/record.ts'

/**
 * A failure that tells every place that was tried in vain, and for each, one word why: the last one alone says too
 * little. Unchanged where fewer than two were tried, where the caller is to blame, and where an answer had begun.
 */
export function withTriedPlaces(failure: Failure, attempts: readonly AttemptRecord[]): Failure {
  if (attempts.length < 2 || failure.blame === 'caller') return failure
  const places = new Map<string, string>()
  for (const { deployment, outcome, isDelivered } of attempts) {
    if (isDelivered || outcome === 'ok') return failure
    places.set(deployment, outcome)
  }
  if (places.size < 2) return failure
  const told = Array.from(places, ([deployment, outcome]) => `${deployment}: ${outcome}`)
  const more = told.length > mostTold ? `; and ${told.length - mostTold} more` : ''
  return failure.saying(
    `${failure.message} ${places.size} places were tried (${told.slice(0, mostTold).join('; ')}${more}).`,
  )
}

const mostTold = 10
