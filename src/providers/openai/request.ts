import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Attempt, AttemptNotes } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'

/** What a server does not have in common with OpenAI's own, as far as requests go. */
export type RequestQuirks = {
  /** Usage is asked for in every stream, whether the caller wants it or not. */
  readonly asksUsage: boolean
  /** Fields that go by another name there: `max_completion_tokens` as `max_tokens`. */
  readonly renames: Readonly<Record<string, string>>
  /** Fields this server is known to refuse, by its own names for them: left out, and named in `notes.dropped`. */
  readonly drops: readonly string[]
  /**
   * What else has to change in a body. Returns the very same object where nothing has to, and never changes the one
   * it is given. Notes what it did.
   */
  readonly adapt: (body: JsonObject, kind: Kind, notes: AttemptNotes) => JsonObject
  /** What is said where the last message is to be gone on with. Absent: the server cannot do that. */
  readonly prefix?: JsonObject | undefined
}

/** vLLM's and SGLang's fields for going on with the last message: what was there is not said again. */
export const continueFinalMessage: JsonObject = {
  continue_final_message: true,
  add_generation_prompt: false,
}

/** The body of the request for a call: the caller's own, with only the members changed that have to. */
export function openAiRequest(call: Call, attempt: Attempt, quirks: RequestQuirks): JsonText {
  const own = call.body.value
  const { notes, upstreamModel } = attempt
  const named = without(renamed(own, quirks.renames, notes), quirks.drops, notes)
  const adapted = quirks.adapt(named, call.kind, notes)
  const goesOn = call.continues === true || call.prefills === true
  const body = goesOn ? { ...adapted, ...quirks.prefix } : adapted
  const edits = editsOf(body, call.stream, upstreamModel, quirks.asksUsage, notes)
  return body === own ? call.body.with(edits) : JsonText.of({ ...body, ...edits })
}

/** The body itself when it has none of the fields. A field's own name there is kept only where the other is absent. */
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

/** The body itself when it has none of the fields. One that is null is left out too, but nothing is lost by it. */
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
    // Usage is told once, at the end.
    if (isContinuous !== undefined) edits['stream_options'] = given
    if (isContinuous === true) notes.dropped.push('stream_options.continuous_usage_stats')
    if (asksUsage && given['include_usage'] !== true) {
      edits['stream_options'] = { ...given, include_usage: true }
    }
  } else if (options !== undefined && options !== null) {
    // Servers refuse them where nothing streams.
    edits['stream_options'] = null
  }
  return edits
}
