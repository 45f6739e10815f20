import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Attempt, AttemptNotes } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'

/** Deviations of a server's requests from OpenAI's. */
export type RequestQuirks = {
  /** Request usage in every stream, even if the caller did not. */
  readonly asksUsage: boolean
  /** Fields that are renamed, for example `max_completion_tokens` to `max_tokens`. */
  readonly renames: Readonly<Record<string, string>>
  /** Fields that the server refuses, by their names after renaming. They are removed and noted in `notes.dropped`. */
  readonly drops: readonly string[]
  /**
   * Further changes of the body. Returns the same object if nothing changes, and never modifies its argument. Changes
   * are noted in `notes`.
   */
  readonly adapt: (body: JsonObject, kind: Kind, notes: AttemptNotes) => JsonObject
  /** The fields that request the continuation of the last message. Absent: the server cannot continue one. */
  readonly prefix?: JsonObject | undefined
}

/** vLLM's and SGLang's fields for continuing the last message without repeating it. */
export const continueFinalMessage: JsonObject = {
  continue_final_message: true,
  add_generation_prompt: false,
}

/** The request body for a call: the caller's body with only the necessary fields changed. */
export function openAiRequest(call: Call, attempt: Attempt, quirks: RequestQuirks): JsonText {
  const own = call.body.value
  const { notes, upstreamModel } = attempt
  const named = without(renamed(own, quirks.renames, notes), quirks.drops, notes)
  const adapted = quirks.adapt(named, call.kind, notes)
  const isPrefix = call.continues === true || call.prefills === true
  const body = isPrefix ? { ...adapted, ...quirks.prefix } : adapted
  const edits = editsOf(body, call.stream, upstreamModel, quirks.asksUsage, notes)
  return body === own ? call.body.with(edits) : JsonText.of({ ...body, ...edits })
}

/**
 * Renames fields. Returns the body itself if it has none of them. The old field replaces one that already has the new
 * name.
 */
export function renamed(
  body: JsonObject,
  renames: Readonly<Record<string, string>>,
  notes: AttemptNotes,
): JsonObject {
  let result = body
  for (const [from, to] of Object.entries(renames)) {
    const value = body[from]
    if (value === undefined || value === null) continue
    const { [from]: _moved, ...rest } = result
    result = { ...rest, [to]: value }
    notes.converted.push(`${from} to ${to}`)
  }
  return result
}

/** Removes fields. Returns the body itself if it has none of them. Fields that are null are removed but not noted. */
export function without(body: JsonObject, drops: readonly string[], notes: AttemptNotes): JsonObject {
  let result = body
  for (const field of drops) {
    const value = body[field]
    if (value === undefined) continue
    const { [field]: _dropped, ...rest } = result
    result = rest
    if (value !== null) notes.dropped.push(field)
  }
  return result
}

function editsOf(
  body: JsonObject,
  stream: boolean,
  upstreamModel: string,
  asksUsage: boolean,
  notes: AttemptNotes,
): JsonObject {
  const edits: JsonObject = {}
  if (body['model'] !== upstreamModel) edits['model'] = upstreamModel
  if ((body['stream'] === true) !== stream) edits['stream'] = stream
  const options = body['stream_options']
  if (stream) {
    const { continuous_usage_stats: isContinuous, ...given } = isObject(options) ? options : {}
    // The gateway reports usage once, at the end.
    if (isContinuous !== undefined) edits['stream_options'] = given
    if (isContinuous === true) notes.dropped.push('stream_options.continuous_usage_stats')
    if (asksUsage && given['include_usage'] !== true) {
      edits['stream_options'] = { ...given, include_usage: true }
    }
  } else if (options !== undefined && options !== null) {
    // Servers refuse `stream_options` without a stream.
    edits['stream_options'] = null
  }
  return edits
}
