import type { CallOf } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { callOf } from '../shared/call.ts'
import type { Incoming } from '../shared/dialect.ts'
import { mendedTools } from './chat-tools.ts'

/**
 * As `callOf`, for a chat validated by `chatFields`. What those forgive is written as OpenAI requires: arguments of
 * calls as text, results of tools as text even if empty, no empty list of tools, and a tool without a type as a
 * function. If nothing needs repair, the body is the caller's own. Throws Failure `invalid_request` if a tool must be
 * called and there is none.
 */
export function chatCallOf(request: Incoming, dialect: string): CallOf<'chat'> {
  const {
    body: { value: body },
  } = request
  const messages = Array.isArray(body['messages']) ? mendedMessages(body['messages']) : undefined
  const tooled = mendedTools(body)
  if (messages === undefined && tooled === undefined) return callOf(request, dialect, 'chat')
  const edits = { ...tooled, ...(messages === undefined ? {} : { messages }) }
  const call = callOf({ ...request, body: request.body.with(edits) }, dialect, 'chat')
  return { ...call, converted: messages === undefined ? undefined : ['messages'] }
}

/** Undefined if nothing needs repair. */
function mendedMessages(messages: readonly unknown[]): readonly unknown[] | undefined {
  if (!messages.some(needsMending)) return undefined
  return messages.map((message) => (needsMending(message) ? mended(message) : message))
}

function needsMending(message: unknown): message is JsonObject {
  if (!isObject(message)) return false
  if (message['role'] === 'tool' && message['content'] === null) return true
  const calls = message['tool_calls']
  return Array.isArray(calls) && calls.some(hasObject)
}

function hasObject(call: unknown): call is JsonObject & { readonly function: JsonObject } {
  return isObject(call) && isObject(call['function']) && isObject(call['function']['arguments'])
}

function mended(message: JsonObject): JsonObject {
  const { role, content, tool_calls: calls } = message
  return {
    ...message,
    ...(role === 'tool' && content === null ? { content: '' } : {}),
    ...(Array.isArray(calls) ? { tool_calls: calls.map(mendedCall) } : {}),
  }
}

function mendedCall(call: unknown): unknown {
  if (!hasObject(call)) return call
  const { function: called } = call
  return { ...call, function: { ...called, arguments: JSON.stringify(called['arguments']) } }
}
