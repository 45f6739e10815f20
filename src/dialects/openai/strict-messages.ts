import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { refuseName, refuseOthers } from '../shared/strict-values.ts'
import { missing } from '../shared/validation-error.ts'

/**
 * Throws Failure `invalid_request` for messages that OpenAI refuses: parts that a role may not have, invalid names, an
 * empty assistant message, a tool result without its call, and a call without its result. The messages must have passed
 * `strictMessages`.
 */
export function refuseStrictMessages(messages: unknown): void {
  if (!Array.isArray(messages)) return
  /** The tool calls that have no result yet. */
  let unanswered = new Set<unknown>()
  for (const [at, message] of messages.entries()) {
    if (!isObject(message)) continue
    const param = `messages[${at}]`
    refuseName(`${param}.name`, message['name'], /^[^\s<|\\/>]+$/)
    refuseParts(message, param)
    if (message['role'] === 'tool') {
      refuseResult(message, unanswered, param)
      continue
    }
    if (unanswered.size > 0) throw unansweredCalls(unanswered, param)
    if (message['role'] === 'assistant') unanswered = callsOf(message, param)
  }
  if (unanswered.size > 0) throw unansweredCalls(unanswered, 'messages')
}

function refuseParts({ role, content }: JsonObject, param: string): void {
  if (!Array.isArray(content)) return
  const types = role === 'user' ? userParts : role === 'assistant' ? ['text', 'refusal'] : ['text']
  for (const [at, part] of content.entries()) {
    const { type, image_url: image } = part as JsonObject
    const place = `${param}.content[${at}]`
    refuseOthers(`${place}.type`, type, types)
    if (isObject(image)) refuseOthers(`${place}.image_url.detail`, image['detail'], ['low', 'high', 'auto'])
  }
}

const userParts = ['text', 'image_url', 'input_audio', 'file']

function refuseResult({ tool_call_id: id }: JsonObject, open: Set<unknown>, param: string): void {
  if (id === undefined || id === null) throw missing(`${param}.tool_call_id`)
  if (open.delete(id)) return
  const message =
    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
  throw new Failure('invalid_request', message, { param: `${param}.role`, code: null })
}

function callsOf(message: JsonObject, param: string): Set<unknown> {
  const { content, tool_calls: calls, function_call: called, refusal, audio } = message
  const given: readonly unknown[] = Array.isArray(calls) ? calls : []
  const isEmpty = [content, called, refusal, audio].every((each) => each === undefined || each === null)
  if (isEmpty && given.length === 0) {
    const text = `Invalid value for 'content': expected a string, got null.`
    throw new Failure('invalid_request', text, { param: `${param}.content`, code: null })
  }
  return new Set(given.map((call) => (isObject(call) ? call['id'] : undefined)))
}

function unansweredCalls(open: ReadonlySet<unknown>, param: string): Failure {
  const ids = [...open].filter((id) => typeof id === 'string').map((id) => id.slice(0, 64))
  const message =
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
    `The following tool_call_ids did not have response messages: ${ids.slice(0, 10).join(', ')}`
  return new Failure('invalid_request', message, { param, code: null })
}
