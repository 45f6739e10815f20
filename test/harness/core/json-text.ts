import type { Call } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'

/** A call as tests describe one: its body as it is, with the text it came in where there is one. */
export type CallChange = Partial<Omit<Call, 'body'>> & {
  readonly body?: JsonObject | JsonText
  readonly source?: string
}

/** The body of such a call. */
export function bodyOf(body: JsonObject | JsonText, source: string | undefined): JsonText {
  if (body instanceof JsonText) return body
  return wireText(body, source)
}

/** A value with the text it came in, or one that was made here. */
export function wireText<Value extends JsonObject>(value: Value, source?: string): JsonText<Value> {
  return source === undefined ? JsonText.of(value) : JsonText.read(value, source)
}

/** What can be compared: the value, and its text where it has one already. */
export function shown<Value extends JsonObject>(
  json: JsonText<Value>,
): { readonly value: Value; readonly source: string | undefined } {
  const { isWritten } = json
  return { value: json.value, source: isWritten ? json.text : undefined }
}
