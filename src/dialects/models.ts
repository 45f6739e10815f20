import type OpenAI from 'openai'
import type { JsonObject } from '../core/json.ts'
import { type ListedModel, unknownModel } from '../core/router.ts'

/** The body of `GET /models`. */
export function renderModels(models: readonly ListedModel[], createdEpochSeconds: number): JsonObject {
  return { object: 'list', data: models.map((model) => renderModel(model, createdEpochSeconds)) }
}

/** The body of `GET /models/{id}`. */
export function renderModel({ id, ownedBy }: ListedModel, createdEpochSeconds: number): JsonObject {
  return { id, object: 'model', created: createdEpochSeconds, owned_by: ownedBy } satisfies OpenAI.Model
}

/**
 * The model's name in what follows `/models/` in a path: SDKs encode its slashes, people do not. Decoded once.
 * Throws Failure `model_not_found` when it cannot be decoded, for no model is called that.
 */
export function modelNameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw unknownModel(encoded)
  }
}
