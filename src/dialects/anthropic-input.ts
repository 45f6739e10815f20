import { Failure } from '../core/failure.ts'
import { isObject, type JsonObject, parseJson } from '../core/json.ts'

/**
 * The arguments of a tool call as the object Anthropic's clients expect; no text at all is an empty one. Undefined
 * for what is none, or not yet.
 */
export function toolInput(text: string): JsonObject | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === 'null') return {}
  // Tried again with every piece of a stream: most are told by their end.
  if (!trimmed.endsWith('}')) return undefined
  try {
    const value = parseJson(trimmed)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What an answer comes to that calls a tool with something else. */
export function unreadableInput(): Failure {
  return new Failure('invalid_response', 'The model called a tool with arguments that are no JSON object.')
}
