import type { Call } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Attempt } from '../../core/model/ports.ts'
import type { PromptAnswer } from './prompt-answer.ts'
import type { PromptRequest } from './prompt-request.ts'

/** The format of an upstream that takes one prompt and answers with one text. */
export type PromptFormat = {
  /** OpenAI's fields that it supports; others are dropped and reported. Absent: all may be sent. */
  readonly fields?: readonly string[]
  /** Fields that it knows under other names, for example `max_tokens` as `n_predict`. */
  readonly renames?: Readonly<Record<string, string>>
  /**
   * The request body; `fields` are the caller's, under the upstream's names. Absent: the caller's body, with the prompt
   * and the model's name set.
   */
  request?(prompt: string, fields: JsonObject, stream: boolean): JsonObject
  /** The contents of a whole answer, or of one event of a stream. */
  read(answer: JsonObject): PromptAnswer
}

/** True if a request can contain stop strings. */
export function takesStops({ fields, renames = {} }: PromptFormat): boolean {
  return fields === undefined || fields.includes('stop') || 'stop' in renames
}

export type BodyWriter = (call: Call, attempt: Attempt, request: PromptRequest, stream: boolean) => JsonText

/** Writes request bodies. Unsupported fields are noted as dropped. */
export function createBodyWriter(format: PromptFormat): BodyWriter {
  const { fields: own, renames = {} } = format
  const names = own && new Map([...own.map((field) => [field, field] as const), ...Object.entries(renames)])
  return ({ body }, { notes }, { kind, model, prompt, fields, isWhole, stop }, stream) => {
    if (format.request === undefined) {
      if (kind !== 'text' || !isWhole) return JsonText.of({ model, prompt, ...fields })
      const edits: JsonObject = {}
      if (body.value['model'] !== model) edits['model'] = model
      if (body.value['prompt'] !== prompt) edits['prompt'] = prompt
      return body.with(edits)
    }
    const asked: JsonObject = { ...fields, ...(stop.length > 0 ? { stop } : {}) }
    const written: JsonObject = {}
    for (const [field, value] of Object.entries(asked)) {
      if (value === undefined || value === null) continue
      const name = names === undefined ? field : names.get(field)
      if (name === undefined) notes.dropped.push(field)
      else written[name] = value
    }
    return JsonText.of(format.request(prompt, written, stream))
  }
}
