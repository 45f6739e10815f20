import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { outOfBounds } from '../shared/validation-error.ts'

/** Throws for a stream with `best_of` above 1: nothing could be sent until all candidates are complete. */
export function refuseStreamedBest(body: JsonObject): void {
  if (body['stream'] !== true || candidates(body) <= 1) return
  const message = "The 'best_of' parameter must be 1 when 'stream' is enabled."
  throw new Failure('invalid_request', message, { param: 'best_of', code: 'invalid_value' })
}

/** Throws for more choices than candidates. Without `best_of` there are always enough. */
export function refuseFewCandidates(body: JsonObject): void {
  const choices = numberOf(body['n'] ?? 1)
  const given = candidates(body)
  if (given > 0 && given < choices) throw outOfBounds('best_of', 'an integer', 'below', choices, given)
}

/** 0 counts as unset, like null: OpenAI's schema allows it, and tests of its SDKs send it. */
function candidates(body: JsonObject): number {
  return numberOf(body['best_of'] ?? 0)
}
