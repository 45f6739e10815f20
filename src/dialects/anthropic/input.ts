import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, objectIn } from '../../core/model/json/json.ts'

/**
 * The arguments of a tool call as an object, as Anthropic's clients expect them. Empty text is an empty object.
 * Undefined if the text is not a complete object.
 */
export function toolInput(text: string): JsonObject | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === 'null') return {}
  return objectIn(trimmed)
}

/** The failure of an answer whose tool call has other arguments. */
export function unreadableInput(): Failure {
  return new Failure('invalid_response', 'The model called a tool with arguments that are not a JSON object.')
}
