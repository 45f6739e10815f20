import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Kind } from '../../core/model/terms.ts'

/** What a job's input asks of a model. */
export type Asking = {
  /** Undefined: the input names none. */
  readonly model: string | undefined
  readonly call: Call
}

/** Reads the input of a job in any of its forms; undefined if it contains no request. */
export function askingIn(input: JsonObject): Asking | undefined {
  const { openai_route: route, openai_input: given, body, sampling_params: sampling, ...rest } = input
  if (isObject(given)) return askingOf(given, kindOf(route, given))
  if (isObject(body)) return askingOf(body, kindOf(input['route'], body))
  const { apply_chat_template: _template, ...fields } = rest
  const shorthand = { ...(isObject(sampling) ? sampling : {}), ...fields }
  if (shorthand['prompt'] === undefined && shorthand['messages'] === undefined) return undefined
  return askingOf(shorthand, kindOf(undefined, shorthand))
}

/** A request in OpenAI's format, by its body. */
export function askingOf(body: JsonObject, kind: Kind): Asking {
  const { model } = body
  const named = typeof model === 'string' && model !== '' ? model : undefined
  const absent = { credential: undefined, deadlineMs: undefined }
  const told = { id: '', dialect: 'runpod', model: named ?? '', includeUsage: asksUsage(body) }
  return {
    model: named,
    call: { ...absent, ...told, kind, body: JsonText.of(body), stream: body['stream'] === true },
  }
}

function kindOf(route: unknown, body: JsonObject): Kind {
  if (typeof route === 'string') return route.endsWith('/chat/completions') ? 'chat' : 'text'
  return body['messages'] === undefined ? 'text' : 'chat'
}

function asksUsage({ stream_options: options }: JsonObject): boolean {
  return isObject(options) && options['include_usage'] === true
}
