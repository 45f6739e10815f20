import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, objectIn } from '../../core/model/json/json.ts'

/**
 * The arguments of a tool call as the object that Anthropic's clients expect; empty text is an empty object. Undefined
 * if it is not an object, or not complete.
 */
export function toolInput(text: string): JsonObject | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === 'null') return {}
  return objectIn(trimmed)
}

/** The failure of an answer that calls a tool with anything else. */
export function unreadableInput(): Failure {
  return new Failure('invalid_response', 'The model called a tool with arguments that are no JSON object.')
}
