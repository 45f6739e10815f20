import type { Choice, FinishReason } from '../../core/model/call.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Usage } from '../../core/model/terms.ts'
import type { StreamEncoder } from '../shared/dialect.ts'
import { createOutputWriter } from './output.ts'
import { type Ending, endingOf, type ResponsesCall, responseOf } from './reply.ts'

export type StreamParts = {
  readonly epochMs: () => number
  /** Called with the whole response once it is complete. */
  readonly keep: (response: JsonObject) => void
  readonly summarizes: boolean
}

/**
 * Writes a stream in OpenAI's format: the response's start, its items, then the whole response again. Every event is
 * numbered.
 */
export function createResponsesStream(call: ResponsesCall, parts: StreamParts): StreamEncoder {
  const { asked } = call
  const { stem, origins } = asked
  const createdEpochMs = parts.epochMs()
  let { model } = call
  let frames = ''
  let told = 0
  let serviceTier: unknown
  let finish: FinishReason | undefined

  const tell = (type: string, fields: JsonObject) => {
    frames += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: told++, ...fields })}\n\n`
  }
  const output = createOutputWriter({ stem, origins, summarizes: parts.summarizes }, tell)
  const response = (ending: Ending) =>
    responseOf(asked, { model, createdEpochMs, output: output.items(), serviceTier, ending })
  let begun: { readonly response: JsonObject } | undefined
  const begin = () => {
    if (begun !== undefined) return
    // Sent in the form it has at that moment.
    begun = { response: { ...response({ status: 'in_progress' }), output: [] } }
    tell('response.created', begun)
    tell('response.in_progress', begun)
  }
  const take = ({ index, delta, message, logprobs, finish_reason: reason }: Choice) => {
    if (index !== 0) return
    output.say(delta ?? message ?? {}, logprobs)
    finish = reason ?? finish
  }
  const taken = () => {
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
        chunk.choices.forEach(take)
      }
      return taken()
    },
    idle() {
      if (begun === undefined) begin()
      else tell('response.in_progress', begun)
      return taken()
    },
    end(usage: Usage) {
      if (finish === undefined) throw new TypeError('A stream that ended has told why.')
      const ending = endingOf(finish, usage, parts.epochMs())
      output.end(ending.status === 'incomplete')
      const whole = response(ending)
      tell(`response.${ending.status}`, { response: whole })
      parts.keep(whole)
      return taken()
    },
    fail(failure: Failure) {
      begin()
      output.breakOff()
      tell('response.failed', { response: response({ status: 'failed', failure }) })
      // Clients that look only for an answer raise this one.
      const { code, message, param, extra } = failure
      tell('error', { ...named(extra), code, message, param })
      return taken()
    },
  }
}

/** What an event has of its own is not overwritten. */
function named({ type: _type, sequence_number: _number, ...extra }: Failure['extra']): JsonObject {
  return extra
}
