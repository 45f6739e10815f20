import { isObject, type JsonObject } from '../../../src/core/model/json/json.ts'

/**
 * Why Mistral refuses a chat, by the rules that it has published with its tokenizers and its API's description;
 * undefined where it takes it.
 */
export function mistralRefusal(body: JsonObject): string | undefined {
  const messages = body['messages'] as readonly JsonObject[]
  const field = Object.keys(body).find((name) => !chatFields.has(name))
  if (field !== undefined) return `Extra inputs are not permitted: ${field}`
  return messages.map(messageRefusal).find(isFound) ?? orderRefusal(messages) ?? idRefusal(messages)
}

const chatFields: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'temperature', 'top_p', 'max_tokens', 'stream', 'stop', 'random_seed', 'metadata'],
  ...['response_format', 'tools', 'tool_choice', 'presence_penalty', 'frequency_penalty', 'n', 'prediction'],
  ...['parallel_tool_calls', 'prompt_mode', 'reasoning_effort', 'guardrails', 'safe_prompt'],
])

const messageFields: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'],
  user: ['role', 'content'],
  assistant: ['role', 'content', 'tool_calls', 'prefix'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
}

const partTypes = ['text', 'image_url', 'document_url', 'input_audio', 'reference', 'thinking', 'file']

function messageRefusal(message: JsonObject): string | undefined {
  const { role, content, tool_calls: calls } = message
  const known = messageFields[role as string]
  if (known === undefined) return `Unexpected role '${String(role)}'`
  const field = Object.keys(message).find((name) => !known.includes(name))
  if (field !== undefined) return `Extra inputs are not permitted: ${String(role)}.${field}`
  const hasCalls = Array.isArray(calls) && calls.length > 0
  const isEmpty = !content || (Array.isArray(content) && content.length === 0)
  if (role === 'assistant' && isEmpty && !hasCalls) {
    return 'Assistant message must have either content or tool_calls, but not none.'
  }
  if (!Array.isArray(content)) return undefined
  return content.map(partRefusal).find(isFound)
}

function partRefusal({ type, document_url: url, input_audio: audio }: JsonObject): string | undefined {
  if (!partTypes.includes(type as string)) return `Input tag '${String(type)}' found`
  if (type === 'document_url' && typeof url !== 'string') return 'document_url should be a valid string'
  if (type === 'input_audio' && typeof audio !== 'string') return 'input_audio should be a valid string'
  return undefined
}

const following: Readonly<Record<string, readonly string[]>> = {
  start: ['system', 'user', 'assistant'],
  system: ['system', 'user', 'assistant'],
  user: ['system', 'user', 'assistant'],
  assistant: ['assistant', 'user', 'tool'],
  tool: ['assistant', 'tool'],
}

function orderRefusal(messages: readonly JsonObject[]): string | undefined {
  let before = 'start'
  for (const { role } of messages) {
    if (following[before]?.includes(role as string) !== true) {
      return `Unexpected role '${String(role)}' after role '${before}'`
    }
    before = role as string
  }
  const last = messages.at(-1)
  if (before === 'user' || before === 'tool' || last?.['prefix'] === true) return undefined
  return `Expected last role User or Tool (or Assistant with prefix True) for serving but got ${before}`
}

function idRefusal(messages: readonly JsonObject[]): string | undefined {
  const ids = messages.flatMap(({ tool_calls: calls, tool_call_id: id }) => [
    ...(Array.isArray(calls) ? calls.filter(isObject).map((call) => call['id']) : []),
    ...(id === undefined ? [] : [id]),
  ])
  const bad = ids.find((id) => typeof id !== 'string' || !/^[a-zA-Z0-9]{9}$/.test(id))
  if (bad === undefined) return undefined
  return `Tool call id was ${String(bad)} but must be a-z, A-Z, 0-9, with a length of 9.`
}

function isFound(text: string | undefined): text is string {
  return text !== undefined
}
