import type { Choice, Delta, Message } from '../model/call.ts'
import { isObject, type JsonObject } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import { settleText } from './settled-text.ts'

/**
 * Upstreams call it `reasoning` or `reasoning_content`; callers read the latter. `keepsName`: the former stays beside
 * it. True if the message was changed.
 */
export function nameReasoning(message: JsonObject, keepsName = false): boolean {
  const { reasoning } = message
  const changed = message['reasoning_content'] !== undefined && settleText(message, 'reasoning_content', null)
  if (typeof reasoning !== 'string' || message['reasoning_content']) return changed
  if (!keepsName || reasoning === '') delete message['reasoning']
  if (reasoning !== '') message['reasoning_content'] = reasoning
  return true
}

/** True if one delta contains both reasoning and content. */
export function mixesReasoning({ delta }: Choice): boolean {
  return delta !== undefined && Boolean(delta.content) && Boolean(delta.reasoning_content)
}

/** Splits a delta that has both: reasoning first, then content. */
export function splitReasoning({ value: chunk }: Delta): Delta[] {
  const thought: Choice[] = []
  const speech: Choice[] = []
  for (const choice of chunk.choices) {
    const { reasoning_content: reasoning, reasoning: same, role, ...rest } = choice.delta ?? {}
    const opening: Message = role === undefined ? {} : { role }
    if (reasoning) {
      const own = same === undefined ? {} : { reasoning: same }
      const delta = { ...opening, ...own, reasoning_content: reasoning }
      const { logprobs: _logprobs, text: _text, ...others } = choice
      thought.push({ ...others, delta, finish_reason: null })
      speech.push({ ...choice, delta: rest })
    } else {
      speech.push(choice)
    }
  }
  return [JsonText.of({ ...chunk, choices: thought }), JsonText.of({ ...chunk, choices: speech })]
}

/**
 * Moves reasoning from content in parts, Mistral's format, to `reasoning_content`, and leaves the text. True if the
 * message was changed.
 */
export function moveReasoningParts(message: JsonObject): boolean {
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
