import { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Kind } from '../core/model.ts'
import {
  type Adaptation,
  booleanLogprobsToInteger,
  developerToSystem,
  inTurn,
  stopToList,
} from './adaptations.ts'

/**
 * What Together needs to be said otherwise than OpenAI. Throws `unsupported` for a prompt of token ids, for it takes
 * text alone. Fields that it does not know it passes over, and so they are left as they are.
 */
export const adaptForTogether: Adaptation = inTurn([
  refuseTokenIds,
  developerToSystem,
  stopToList,
  booleanLogprobsToInteger,
])

/** Several prompts have been taken apart before: what is left in a list is token ids. */
function refuseTokenIds(body: JsonObject, kind: Kind): JsonObject {
  if (kind !== 'text' || !Array.isArray(body['prompt'])) return body
  throw new Failure('unsupported', "Unsupported parameter: 'prompt' must be a string for this upstream.", {
    param: 'prompt',
  })
}
