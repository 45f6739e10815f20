import type { Choice, FinishReason } from '../../core/model/call.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Usage } from '../../core/model/terms.ts'
import type { StreamEncoder } from '../shared/dialect.ts'
import { createOutputWriter } from './output.ts'
import { type Ending, endingOf, type ResponsesCall, responseOf } from './reply.ts'

export type StreamParts = {
  readonly epochMs: () => number
  /** Called with the response when it is complete. */
  readonly keep: (response: JsonObject) => void
  readonly summarizes: boolean
}

/**
 * Writes a stream in OpenAI's format: the start of the response, its items, then the whole response. Every event is
 * numbered.
 */
export function createResponsesStream(call: ResponsesCall, parts: StreamParts): StreamEncoder {
  const { origin: asked } = call
  const { stem, origins } = asked
  const createdEpochMs = parts.epochMs()
  let { model } = call
  let frames = ''
  let sequenceNumber = 0
  let serviceTier: unknown
  let finish: FinishReason | undefined

  const send = (type: string, fields: JsonObject) => {
    frames += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequenceNumber++, ...fields })}\n\n`
  }
  const output = createOutputWriter({ stem, origins, summarizes: parts.summarizes }, send)
  const response = (ending: Ending) =>
    responseOf(asked, { model, createdEpochMs, output: output.items(), serviceTier, ending })
  let begun: { readonly response: JsonObject } | undefined
  const begin = () => {
    if (begun !== undefined) return
    // A snapshot, because keep-alive events repeat it later.
    begun = { response: { ...response({ status: 'in_progress' }), output: [] } }
    send('response.created', begun)
    send('response.in_progress', begun)
  }
  const addChoice = ({ index, delta, message, logprobs, finish_reason: reason }: Choice) => {
    if (index !== 0) return
    output.write(delta ?? message ?? {}, logprobs)
    finish = reason ?? finish
  }
  const takeFrames = () => {
    const written = frames
    frames = ''
    return written
  }
  return {
    encode(deltas) {
      for (const { value: chunk } of deltas) {
        model = chunk.model
        serviceTier = chunk['service_tier'] ?? serviceTier
        begin()
        chunk.choices.forEach(addChoice)
      }
      return takeFrames()
    },
    idle() {
      if (begun === undefined) begin()
      else send('response.in_progress', begun)
      return takeFrames()
    },
    end(usage: Usage) {
      if (finish === undefined) throw new TypeError('A stream ended without a finish reason.')
      const ending = endingOf(finish, usage, parts.epochMs())
      output.end(ending.status === 'incomplete')
      const whole = response(ending)
      send(`response.${ending.status}`, { response: whole })
      parts.keep(whole)
      return takeFrames()
    },
    fail(failure: Failure) {
      begin()
      output.breakOff()
      send('response.failed', { response: response({ status: 'failed', failure }) })
      // Some clients raise an error only for this event.
      const { code, message, param, extra } = failure
      send('error', { ...withoutEventFields(extra), code, message, param })
      return takeFrames()
    },
  }
}

/** Removes the fields of the event itself, which an error must not overwrite. */
function withoutEventFields({
  type: _type,
  sequence_number: _number,
  ...extra
}: Failure['extra']): JsonObject {
  return extra
}
