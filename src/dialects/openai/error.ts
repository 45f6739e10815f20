import type OpenAI from 'openai'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'

/** OpenAI's error format. All four keys are always present, because clients read them without a check. */
export function openAiError({ message, type, param, code, extra }: Failure): JsonObject {
  const error = { message, type, param, code } satisfies OpenAI.ErrorObject
  return { error: { ...error, ...extra, ...error } }
}
