import type { Failure } from '../model/failure.ts'
import type { AttemptRecord } from '../model/record/record.ts'

/**
 * Adds to a failure the list of deployments tried, with one word each why it failed: the last failure alone says too
 * little. Unchanged if fewer than two were tried, if the caller is at fault, or if an answer had begun.
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
    `${failure.message} ${places.size} deployments were tried (${told.slice(0, mostTold).join('; ')}${more}).`,
  )
}

const mostTold = 10
