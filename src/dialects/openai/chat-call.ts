import type { CallOf } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { callOf } from '../shared/call.ts'
import type { Incoming } from '../shared/dialect.ts'
import { repairedTools } from './chat-tools.ts'

/**
 * As `callOf`, for a chat validated by `chatFields`. Deviations that `chatFields` accepts are repaired: arguments of
 * tool calls become text, null results of tools become '', empty lists of tools are removed, and a tool without a type
 * becomes a function. If nothing needs repair, the body is the caller's own. Throws Failure `invalid_request` if the
 * tool choice requires a tool and there is none.
 */
export function chatCallOf(request: Incoming, dialect: string): CallOf<'chat'> {
  const {
    body: { value: body },
  } = request
  const messages = Array.isArray(body['messages']) ? repairedMessages(body['messages']) : undefined
  const tools = repairedTools(body)
  if (messages === undefined && tools === undefined) return callOf(request, dialect, 'chat')
  const edits = { ...tools, ...(messages === undefined ? {} : { messages }) }
  const call = callOf({ ...request, body: request.body.with(edits) }, dialect, 'chat')
  return { ...call, converted: messages === undefined ? undefined : ['messages'] }
}

/** Undefined if nothing needs repair. */
function repairedMessages(messages: readonly unknown[]): readonly unknown[] | undefined {
  if (!messages.some(needsRepair)) return undefined
  return messages.map((message) => (needsRepair(message) ? repaired(message) : message))
}

function needsRepair(message: unknown): message is JsonObject {
  if (!isObject(message)) return false
  if (message['role'] === 'tool' && message['content'] === null) return true
  const calls = message['tool_calls']
  return Array.isArray(calls) && calls.some(hasObjectArguments)
}

function hasObjectArguments(call: unknown): call is JsonObject & { readonly function: JsonObject } {
  return isObject(call) && isObject(call['function']) && isObject(call['function']['arguments'])
}

function repaired(message: JsonObject): JsonObject {
  const { role, content, tool_calls: calls } = message
  return {
    ...message,
    ...(role === 'tool' && content === null ? { content: '' } : {}),
    ...(Array.isArray(calls) ? { tool_calls: calls.map(repairedCall) } : {}),
  }
}

function repairedCall(call: unknown): unknown {
  if (!hasObjectArguments(call)) return call
  const { function: called } = call
  return { ...call, function: { ...called, arguments: JSON.stringify(called['arguments']) } }
}
