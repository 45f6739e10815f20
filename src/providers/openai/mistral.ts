import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { type Adaptation, inTurn } from './adaptations.ts'

/**
 * Converts ids of tool calls to Mistral's form: nine letters and digits. An id has the same replacement throughout a
 * conversation.
 */
export const nineLetterIds: Adaptation = (body, _kind, notes) => {
  const messages = objectsIn(body['messages'])
  if (messages === undefined) return body
  const ids = new Map<unknown, string>()
  const taken = new Set<string>()
  const given = messages.flatMap(idsIn)
  for (const id of given) {
    if (!fits(id)) continue
    ids.set(id, id)
    taken.add(id)
  }
  for (const id of given) {
    if (ids.has(id)) continue
    const made = madeId(id, taken)
    ids.set(id, made)
    taken.add(made)
  }
  if (given.every((id) => ids.get(id) === id)) return body
  notes.converted.push('ids of tool calls to nine letters and digits')
  return { ...body, messages: messages.map((message) => renamed(message, ids)) }
}

/**
 * Converts a conversation to an order that Mistral accepts. An assistant turn follows a tool's result. A system message
 * does not follow the assistant or a tool, and is not the last. A final assistant message is marked as a prefill.
 */
export const turnsInOrder: Adaptation = (body, _kind, notes) => {
  const messages = objectsIn(body['messages'])
  if (messages === undefined) return body
  const nonEmpty = messages.filter((message) => !isEmpty(message))
  const ordered: JsonObject[] = []
  for (const [at, message] of nonEmpty.entries()) {
    const before = ordered.at(-1)?.['role']
    const isLast = at === nonEmpty.length - 1
    const turn = isMisplaced(message, before, isLast) ? { ...message, role: 'user' } : message
    if (turn['role'] === 'user' && before === 'tool') ordered.push(acknowledgement)
    ordered.push(isLast && isAnswer(turn) ? { ...turn, prefix: true } : turn)
  }
  if (ordered.length === messages.length && ordered.every((message, at) => message === messages[at])) {
    return body
  }
  notes.converted.push('turns to the order that Mistral takes')
  return { ...body, messages: ordered }
}

/** Converts files and audio to Mistral's form. */
export const mistralParts: Adaptation = (body, _kind, notes) => {
  const messages = objectsIn(body['messages'])
  if (messages === undefined) return body
  let changed = false
  const converted = messages.map((message) => {
    const { content } = message
    if (!Array.isArray(content) || !content.some(isOpenAiPart)) return message
    changed = true
    return {
      ...message,
      content: content.map((part: unknown) => (isOpenAiPart(part) ? mistralPart(part) : part)),
    }
  })
  if (!changed) return body
  notes.converted.push('files and sounds to Mistral’s parts')
  return { ...body, messages: converted }
}

/** Drops OpenAI's message fields that Mistral refuses. They are reported as `messages[].name`. */
export const knownMessageFields: Adaptation = (body, _kind, notes) => {
  const messages = objectsIn(body['messages'])
  if (messages === undefined) return body
  const left = new Set<string>()
  const kept = messages.map((message) => {
    const unknown = openAiFields.filter((field) => field in message && !takes(message['role'], field))
    if (unknown.length === 0) return message
    for (const field of unknown) if (hasValue(message[field])) left.add(field)
    return Object.fromEntries(
      Object.entries(message).filter(([field]) => !unknown.some((each) => each === field)),
    )
  })
  if (kept.every((message, at) => message === messages[at])) return body
  notes.dropped.push(...Array.from(left, (field) => `messages[].${field}`))
  return { ...body, messages: kept }
}

/** Mistral's `reasoning_effort` is `none` or `high`. */
export const reasoningOnOrOff: Adaptation = (body, _kind, notes) => {
  const { reasoning_effort: effort } = body
  if (typeof effort !== 'string' || effort === 'none' || effort === 'high') return body
  const turned = effort === 'minimal' ? 'none' : 'high'
  notes.converted.push(`reasoning_effort to ${turned}`)
  return { ...body, reasoning_effort: turned }
}

/** Adapts a conversation to Mistral's rules. Fields are dropped first, because that may leave a message empty. */
export const mistralConversation: Adaptation = inTurn([
  knownMessageFields,
  mistralParts,
  turnsInOrder,
  nineLetterIds,
])

/** A filler for a missing assistant turn. Mistral's own clients also insert it between a tool's result and a user. */
const acknowledgement: JsonObject = { role: 'assistant', content: 'Done.' }

function objectsIn(messages: unknown): readonly JsonObject[] | undefined {
  return Array.isArray(messages) && messages.every(isObject) ? messages : undefined
}

function idsIn({ tool_calls: calls, tool_call_id: id }: JsonObject): readonly string[] {
  const own = Array.isArray(calls)
    ? calls.map((call: unknown) => (isObject(call) ? call['id'] : undefined))
    : []
  return [...own, id].filter((each) => typeof each === 'string')
}

function fits(id: string): boolean {
  return /^[a-zA-Z0-9]{9}$/.test(id)
}

/** A hash of the id; with another seed if that is taken. */
function madeId(id: string, taken: ReadonlySet<string>): string {
  for (let turn = 0; ; turn++) {
    const digest = createHash('sha256').update(`${turn}:${id}`).digest()
    const made = Array.from(digest.subarray(0, 9), (byte) => letters[byte % letters.length]).join('')
    if (!taken.has(made)) return made
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function renamed(message: JsonObject, ids: ReadonlyMap<unknown, string>): JsonObject {
  const { tool_calls: calls, tool_call_id: id } = message
  return {
    ...message,
    ...(Array.isArray(calls)
      ? {
          tool_calls: calls.map((call: unknown) =>
            isObject(call) && ids.has(call['id']) ? { ...call, id: ids.get(call['id']) } : call,
          ),
        }
      : {}),
    ...(ids.has(id) ? { tool_call_id: ids.get(id) } : {}),
  }
}

function isMisplaced({ role }: JsonObject, before: unknown, isLast: boolean): boolean {
  return role === 'system' && (before === 'assistant' || before === 'tool' || isLast)
}

function isAnswer({ role, tool_calls: calls, prefix }: JsonObject): boolean {
  return role === 'assistant' && prefix === undefined && !(Array.isArray(calls) && calls.length > 0)
}

/** An assistant message without content and tool calls, which Mistral refuses. */
function isEmpty({ role, content, tool_calls: calls }: JsonObject): boolean {
  if (role !== 'assistant' || (Array.isArray(calls) && calls.length > 0)) return false
  return (
    content === undefined ||
    content === null ||
    content === '' ||
    (Array.isArray(content) && content.length === 0)
  )
}

/** OpenAI's fields of a message that Mistral refuses, and the names of reasoning. */
const openAiFields = [
  ...['name', 'refusal', 'annotations', 'audio', 'function_call', 'reasoning_content', 'reasoning'],
  'reasoning_details',
] as const

function takes(role: unknown, field: string): boolean {
  return role === 'tool' && field === 'name'
}

function hasValue(value: unknown): boolean {
  return value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

function isOpenAiPart(part: unknown): part is JsonObject {
  if (!isObject(part)) return false
  const { type, file, input_audio: audio } = part
  if (type === 'file') return isObject(file) && typeof file['file_data'] === 'string'
  return type === 'input_audio' && isObject(audio) && typeof audio['data'] === 'string'
}

function mistralPart({ type, file, input_audio: audio }: JsonObject): JsonObject {
  if (type === 'input_audio') return { type, input_audio: isObject(audio) ? audio['data'] : audio }
  const { file_data: url, filename } = isObject(file) ? file : {}
  return {
    type: 'document_url',
    document_url: url,
    ...(typeof filename === 'string' ? { document_name: filename } : {}),
  }
}
