import type { CallOf } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json.ts'
import { callOf } from '../shared/call.ts'
import type { Incoming } from '../shared/dialect.ts'

/**
 * As `callOf`, for a chat held to `chatFields`, what those forgive written as OpenAI would have it: the arguments of a
 * call as text, and text for what a tool gave, though it be empty. Where nothing is to be mended, all of it is the
 * caller's own.
 */
export function chatCallOf(request: Incoming, dialect: string): CallOf<'chat'> {
  const {
    body: { value: body },
  } = request
  const messages = Array.isArray(body['messages']) ? mendedMessages(body['messages']) : undefined
  if (messages === undefined) return callOf(request, dialect, 'chat')
  const call = callOf({ ...request, body: request.body.with({ messages }) }, dialect, 'chat')
  return { ...call, converted: ['messages'] }
}

/** Undefined where nothing is to be mended. */
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
