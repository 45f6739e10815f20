import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { RequestQuirks } from './request.ts'

/** A change that some server needs in a request: the very same body where nothing has to change. */
export type Adaptation = RequestQuirks['adapt']

/** All of them, one after another. */
export function inTurn(adaptations: readonly Adaptation[]): Adaptation {
  return (body, kind, notes) => adaptations.reduce((adapted, adapt) => adapt(adapted, kind, notes), body)
}

/** OpenAI's newer word for the same role: other servers refuse it, or their templates leave such messages out. */
export const developerToSystem: Adaptation = (body, _kind, notes) => {
  const messages = mapped(body['messages'], (message) =>
    message['role'] === 'developer' ? { ...message, role: 'system' } : message,
  )
  if (messages === undefined) return body
  notes.converted.push('developer messages to system')
  return { ...body, messages }
}

/** For servers that take no string alone. */
export const stopToList: Adaptation = (body, _kind, notes) => {
  const { stop } = body
  if (typeof stop !== 'string') return body
  notes.converted.push('stop to a list')
  return { ...body, stop: [stop] }
}

/** For servers that want in a chat, too, how many: true and `top_logprobs` become one number, false is left out. */
export const booleanLogprobsToInteger: Adaptation = (body, _kind, notes) => {
  const { logprobs, top_logprobs, ...rest } = body
  if (typeof logprobs !== 'boolean') return body
  if (!logprobs) return rest
  const count = typeof top_logprobs === 'number' ? Math.max(1, top_logprobs) : 1
  notes.converted.push(`logprobs to ${count}`)
  return { ...rest, logprobs: count }
}

/** For servers that refuse a `top_p` of 1, which is what it is when it is not given. */
export const wholeTopPLeftOut: Adaptation = (body) => {
  const { top_p, ...rest } = body
  return top_p === 1 ? rest : body
}

/** For servers that refuse `stream_options`, and tell the usage unasked: nothing is lost. */
export const streamOptionsLeftOut: Adaptation = (body) => {
  const { stream_options, ...rest } = body
  return stream_options === undefined ? body : rest
}

/** For servers that read what was thought before under this name alone. Under the other it does no harm. */
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

/** For servers that refuse these fields in messages. They are told as `messages[].name`. */
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

/** The messages, some of them changed; undefined when none is. */
function mapped(
  messages: unknown,
  change: (message: JsonObject) => JsonObject,
): readonly unknown[] | undefined {
  if (!Array.isArray(messages)) return undefined
  const changed = messages.map((message: unknown) => (isObject(message) ? change(message) : message))
  return changed.some((message, at) => message !== messages[at]) ? changed : undefined
}
