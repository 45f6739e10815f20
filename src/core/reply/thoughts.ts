import { isObject, type JsonObject } from '../model/json/json.ts'

/**
 * Moves reasoning from content in parts, Mistral's format, to `reasoning_content`, and leaves the text. True if the
 * message was changed.
 */
export function takeThoughts(message: JsonObject): boolean {
  const { content } = message
  const parts: readonly unknown[] = Array.isArray(content) ? content : isThought(content) ? [content] : []
  const thoughts = parts.filter(isThought)
  if (thoughts.length === 0) return false
  const before = message['reasoning_content']
  const text = thoughts.map(thoughtIn).join('')
  message['content'] = parts.filter((part) => !isThought(part))
  if (text !== '') message['reasoning_content'] = typeof before === 'string' ? before + text : text
  return true
}

function isThought(part: unknown): part is JsonObject {
  return isObject(part) && (part['type'] === 'thinking' || part['type'] === 'reasoning')
}

/** A text, or a list of parts. */
function thoughtIn(part: JsonObject): string {
  const held = part['thinking'] ?? part['reasoning'] ?? part['text'] ?? part['content']
  const pieces: readonly unknown[] = Array.isArray(held) ? held : [held]
  return pieces.map((piece) => (isObject(piece) ? textIn(piece['text']) : textIn(piece))).join('')
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
