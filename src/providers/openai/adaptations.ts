import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { RequestQuirks } from './request.ts'

/** A change of a request that some server needs. Returns the same object if nothing changes. */
export type Adaptation = RequestQuirks['adapt']

/** Applies all of them in turn. */
export function inTurn(adaptations: readonly Adaptation[]): Adaptation {
  return (body, kind, notes) => adaptations.reduce((adapted, adapt) => adapt(adapted, kind, notes), body)
}

/**
 * `developer` is OpenAI's newer name of the role `system`. Other servers refuse it, or their templates drop such
 * messages.
 */
export const developerToSystem: Adaptation = (body, _kind, notes) => {
  const messages = mapped(body['messages'], (message) =>
    message['role'] === 'developer' ? { ...message, role: 'system' } : message,
  )
  if (messages === undefined) return body
  notes.converted.push('developer messages to system')
  return { ...body, messages }
}

/** For servers that take `stop` only as a list. */
export const stopToList: Adaptation = (body, _kind, notes) => {
  const { stop } = body
  if (typeof stop !== 'string') return body
  notes.converted.push('stop to a list')
  return { ...body, stop: [stop] }
}

/** For servers that take a count in chats: `true` and `top_logprobs` become one number, `false` is removed. */
export const booleanLogprobsToInteger: Adaptation = (body, _kind, notes) => {
  const { logprobs, top_logprobs, ...rest } = body
  if (typeof logprobs !== 'boolean') return body
  if (!logprobs) return rest
  const count = typeof top_logprobs === 'number' ? Math.max(1, top_logprobs) : 1
  notes.converted.push(`logprobs to ${count}`)
  return { ...rest, logprobs: count }
}

/** For servers that refuse a `top_p` of 1, although it is the default. */
export const wholeTopPLeftOut: Adaptation = (body) => {
  const { top_p, ...rest } = body
  return top_p === 1 ? rest : body
}

/** For servers that refuse `stream_options` and always report usage. */
export const streamOptionsLeftOut: Adaptation = (body) => {
  const { stream_options, ...rest } = body
  return stream_options === undefined ? body : rest
}

/** For servers that read earlier reasoning only from `reasoning`. Sending both names does no harm. */
export const reasoningByBothNames: Adaptation = (body, _kind, notes) => {
  const messages = mapped(body['messages'], (message) => {
    const { reasoning_content: thought, reasoning } = message
    if (typeof thought !== 'string' || thought === '' || (reasoning ?? null) !== null) return message
    return { ...message, reasoning: thought }
  })
  if (messages === undefined) return body
  notes.converted.push('reasoning_content to reasoning')
  return { ...body, messages }
}

/** For servers that refuse these fields in messages. Reported as `messages[].name`. */
export function messageFieldsLeftOut(fields: readonly string[]): Adaptation {
  return (body, _kind, notes) => {
    const left = new Set<string>()
    const messages = mapped(body['messages'], (message) => {
      const given = fields.filter((field) => message[field] !== undefined)
      if (given.length === 0) return message
      for (const field of given) if (message[field] !== null) left.add(field)
      return Object.fromEntries(Object.entries(message).filter(([field]) => !given.includes(field)))
    })
    if (messages === undefined) return body
    notes.dropped.push(...Array.from(left, (field) => `messages[].${field}`))
    return { ...body, messages }
  }
}

/** Applies a change to each message. Undefined if none changed. */
function mapped(
  messages: unknown,
  change: (message: JsonObject) => JsonObject,
): readonly unknown[] | undefined {
  if (!Array.isArray(messages)) return undefined
  const changed = messages.map((message: unknown) => (isObject(message) ? change(message) : message))
  return changed.some((message, at) => message !== messages[at]) ? changed : undefined
}
