import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, objectIn } from '../../core/model/json/json.ts'

/**
 * The arguments of a tool call as the object Anthropic's clients expect; no text at all is an empty one. Undefined
 * for what is none, or not yet.
 */
export function toolInput(text: string): JsonObject | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === 'null') return {}
  return objectIn(trimmed)
}

/** What an answer comes to that calls a tool with something else. */
export function unreadableInput(): Failure {
  return new Failure('invalid_response', 'The model called a tool with arguments that are no JSON object.')
}
