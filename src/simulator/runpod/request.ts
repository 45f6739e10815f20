import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Kind } from '../../core/model/terms.ts'

/** The call in the input of a job. */
export type ParsedInput = {
  /** Undefined: the input names no model. */
  readonly model: string | undefined
  readonly call: Call
}

/** Parses the input of a job in any of its forms; undefined if it contains no request. */
export function readInput(input: JsonObject): ParsedInput | undefined {
  const { openai_route: route, openai_input: given, body, sampling_params: sampling, ...rest } = input
  if (isObject(given)) return parsedInputOf(given, kindOf(route, given))
  if (isObject(body)) return parsedInputOf(body, kindOf(input['route'], body))
  const { apply_chat_template: _template, ...fields } = rest
  const shorthand = { ...(isObject(sampling) ? sampling : {}), ...fields }
  if (shorthand['prompt'] === undefined && shorthand['messages'] === undefined) return undefined
  return parsedInputOf(shorthand, kindOf(undefined, shorthand))
}

/** Parses a request in OpenAI's format. */
export function parsedInputOf(body: JsonObject, kind: Kind): ParsedInput {
  const { model } = body
  const named = typeof model === 'string' && model !== '' ? model : undefined
  const absent = { credential: undefined, deadlineMs: undefined }
  const known = { id: '', dialect: 'runpod', model: named ?? '', includeUsage: asksUsage(body) }
  return {
    model: named,
    call: { ...absent, ...known, kind, body: JsonText.of(body), stream: body['stream'] === true },
  }
}

function kindOf(route: unknown, body: JsonObject): Kind {
  if (typeof route === 'string') return route.endsWith('/chat/completions') ? 'chat' : 'text'
  return body['messages'] === undefined ? 'text' : 'chat'
}

function asksUsage({ stream_options: options }: JsonObject): boolean {
  return isObject(options) && options['include_usage'] === true
}
