import { customInput } from '../../core/adapt/custom-input.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { chatToolName } from './tools.ts'

/**
 * Converts items to a chat's messages. Text and tool calls of one turn become one assistant message. Instructions and
 * further leading system text become one message, because many templates do not accept a second one. A tool message
 * holds only text, so images of its result follow as a user message. Items that a chat cannot express are added to
 * `dropped`. The items must have passed `responsesFields`.
 */
export function chatMessages(
  instructions: unknown,
  items: readonly JsonObject[],
  dropped: Set<string>,
): JsonObject[] {
  const transcript = new Transcript(dropped)
  if (typeof instructions === 'string' && instructions !== '') transcript.message('system', instructions)
  for (const item of items) addItem(item, transcript)
  return transcript.finished()
}

function addItem(item: JsonObject, writing: Transcript): void {
  const { type, role, content } = item
  switch (type) {
    case 'message':
      if (role === 'assistant') writing.answer(content)
      else writing.message(spell(role), content)
      break
    case 'reasoning':
      writing.thought(reasoningOf(item))
      break
    case 'function_call':
      writing.call(item, spell(item['arguments']))
      break
    case 'custom_tool_call':
      writing.call(item, customInput.toArguments(spell(item['input'])))
      break
    case 'function_call_output':
    case 'custom_tool_call_output':
      writing.result(item)
      break
    case 'additional_tools':
      // `chatRequest` reads these tools.
      break
    default:
      writing.dropped.add(`input.${spell(type)}`)
  }
}

/** One assistant turn. */
type Turn = {
  readonly texts: string[]
  readonly refusals: string[]
  readonly thoughts: string[]
  readonly calls: JsonObject[]
}

type Part = JsonObject & { readonly type: unknown }

/** Collects messages, and buffers the parts of an unfinished turn. */
class Transcript {
  readonly dropped: Set<string>
  readonly #messages: JsonObject[] = []
  #turn: Turn | undefined
  /** Images of tool results. They may not come between the results. */
  #shown: Part[] = []

  constructor(dropped: Set<string>) {
    this.dropped = dropped
  }

  message(role: string, content: unknown): void {
    this.#endTurn()
    this.#endResults()
    const parts = partsOf(content)
    const [before] = this.#messages
    const isInstruction = isSystemRole(role) && this.#messages.length === 1 && isSystemRole(before?.['role'])
    const text = textOf(parts)
    if (isInstruction && text !== undefined && typeof before?.['content'] === 'string') {
      this.#messages[0] = { role: 'system', content: `${before['content']}\n\n${text}` }
    } else this.#messages.push({ role, content: text ?? parts })
  }

  answer(content: unknown): void {
    const { texts, refusals } = this.#openTurn()
    const parts = partsOf(content)
    texts.push(parts.map(({ text }) => (typeof text === 'string' ? text : '')).join(''))
    for (const { refusal } of parts) if (typeof refusal === 'string') refusals.push(refusal)
  }

  thought(text: string): void {
    if (text !== '') this.#openTurn().thoughts.push(text)
  }

  call({ call_id: id, name, namespace }: JsonObject, args: string): void {
    const called = { name: chatToolName(spell(name), namespace), arguments: args === '' ? '{}' : args }
    this.#openTurn().calls.push({ id, type: 'function', function: called })
  }

  result({ call_id: id, output }: JsonObject): void {
    this.#endTurn()
    const parts = partsOf(output)
    const isText = ({ type }: Part) => type === 'text'
    this.#messages.push({ role: 'tool', tool_call_id: id, content: textOf(parts.filter(isText)) })
    for (const part of parts) if (!isText(part)) this.#shown.push(part)
  }

  finished(): JsonObject[] {
    this.#endTurn()
    this.#endResults()
    return this.#messages
  }

  #openTurn(): Turn {
    this.#endResults()
    this.#turn ??= { texts: [], refusals: [], thoughts: [], calls: [] }
    return this.#turn
  }

  #endTurn(): void {
    if (this.#turn === undefined) return
    const { texts, refusals, thoughts, calls } = this.#turn
    this.#turn = undefined
    if (texts.length + calls.length === 0) {
      this.dropped.add('input.reasoning')
      return
    }
    this.#messages.push({
      role: 'assistant',
      content: texts.length > 0 ? joined(texts) : null,
      ...(refusals.length > 0 ? { refusal: refusals.join('\n') } : {}),
      ...(thoughts.length > 0 ? { reasoning_content: thoughts.join('\n') } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    })
  }

  #endResults(): void {
    if (this.#shown.length > 0) this.#messages.push({ role: 'user', content: this.#shown })
    this.#shown = []
  }
}

function isSystemRole(role: unknown): boolean {
  return role === 'system' || role === 'developer'
}

/** One string if all parts are text, because not every upstream takes parts. Otherwise undefined. */
function textOf(parts: readonly Part[]): string | undefined {
  const texts = parts.flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []))
  return texts.length === parts.length ? joined(texts) : undefined
}

/** Skips empty text, because an empty line would change a prefill. */
function joined(lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n')
}

function partsOf(content: unknown): readonly Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content.filter(isObject).map(chatPart) : []
}

function chatPart(part: JsonObject): Part {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part['text'] }
    case 'input_image':
      return { type: 'image_url', image_url: imageOf(part) }
    case 'input_file': {
      const { filename, file_data } = part
      return { type: 'file', file: { filename: filename ?? 'file', file_data } }
    }
    default:
      return { ...part, type: part['type'] }
  }
}

/** `original` does not exist in a chat, and `auto` is its default. */
function imageOf({ image_url: url, detail }: JsonObject): JsonObject {
  if (detail === undefined || detail === null || detail === 'auto') return { url }
  return { url, detail: detail === 'original' ? 'high' : detail }
}

/** The reasoning text, or its summary if there is no text. */
function reasoningOf({ content, summary }: JsonObject): string {
  const lines = (list: unknown) =>
    Array.isArray(list) ? list.filter(isObject).map(({ text }) => spell(text)) : []
  const thoughts = lines(content)
  return (thoughts.length > 0 ? thoughts : lines(summary)).join('\n')
}
