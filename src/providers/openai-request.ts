import { isObject, type JsonObject } from '../core/json.ts'
import type { Call } from '../core/model.ts'
import type { Attempt } from '../core/ports.ts'
import { splice } from './splice.ts'

/** What a server does not have in common with OpenAI's own, as far as requests go. */
export type RequestQuirks = {
  /** Usage is asked for in every stream, whether the caller wants it or not. */
  readonly asksUsage: boolean
  /** Fields that go by another name there: `max_completion_tokens` as `max_tokens`. */
  readonly renames: Readonly<Record<string, string>>
}

/**
 * The text of the request for a call: the caller's own, byte for byte, when nothing in it has to change, and with
 * only the members that have to change replaced otherwise.
 */
export function openAiRequest(call: Call, attempt: Attempt, quirks: RequestQuirks): string {
  const { source } = call
  const body = renamed(call.body, quirks.renames, attempt.notes.converted)
  const edits = editsOf(call, attempt.upstreamModel, quirks.asksUsage)
  if (source === undefined || body !== call.body) return JSON.stringify({ ...body, ...edits })
  const texts = Object.entries(edits).map(([key, value]) => [key, JSON.stringify(value)] as const)
  return texts.length === 0 ? source : splice(source, Object.fromEntries(texts))
}

function editsOf({ body, stream }: Call, upstreamModel: string, asksUsage: boolean): JsonObject {
  const edits: JsonObject = {}
  if (body['model'] !== upstreamModel) edits['model'] = upstreamModel
  if ((body['stream'] === true) !== stream) edits['stream'] = stream
  const options = body['stream_options']
  if (stream) {
    const given = isObject(options) ? options : {}
    if (asksUsage && given['include_usage'] !== true) {
      edits['stream_options'] = { ...given, include_usage: true }
    }
  } else if (options !== undefined && options !== null) {
    // Servers refuse them where nothing streams.
    edits['stream_options'] = null
  }
  return edits
}

/** The body itself when it has none of the fields. A field's own name there is kept only where the other is absent. */
function renamed(
  body: JsonObject,
  renames: Readonly<Record<string, string>>,
  converted: string[],
): JsonObject {
  let result = body
  for (const [from, to] of Object.entries(renames)) {
    const value = body[from]
    if (value === undefined || value === null) continue
    const { [from]: _moved, ...rest } = result
    result = { ...rest, [to]: value }
    converted.push(`${from} to ${to}`)
  }
  return result
}
