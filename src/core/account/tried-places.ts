import type { Failure } from '../model/failure.ts'
import type { AttemptRecord } from '../model/record/record.ts'

/**
 * Adds to a failure the list of tried deployments with their outcomes: the last failure alone says too little.
 * Unchanged if fewer than two were tried, if the caller is at fault, or if an answer had begun.
 */
export function withTriedPlaces(failure: Failure, attempts: readonly AttemptRecord[]): Failure {
  if (attempts.length < 2 || failure.blame === 'caller') return failure
  const places = new Map<string, string>()
  for (const { deployment, outcome, isDelivered } of attempts) {
    if (isDelivered || outcome === 'ok') return failure
    places.set(deployment, outcome)
  }
  if (places.size < 2) return failure
  const entries = Array.from(places, ([deployment, outcome]) => `${deployment}: ${outcome}`)
  const more = entries.length > mostListed ? `; and ${entries.length - mostListed} more` : ''
  return failure.saying(
    `${failure.message} ${places.size} deployments were tried (${entries.slice(0, mostListed).join('; ')}${more}).`,
  )
}

const mostListed = 10
