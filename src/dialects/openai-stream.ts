import type OpenAI from 'openai'
import type { JsonObject } from '../core/json.ts'
import type { Call, Chunk, Delta } from '../core/model.ts'
import type { StreamEncoder } from './dialect.ts'
import { openAiError } from './openai-error.ts'
import { doneFrame, frame } from './sse-frame.ts'

/** Writes a stream as OpenAI does: a frame for each chunk, one for the usage when it was asked for, `[DONE]`. */
export function createOpenAiStream({ includeUsage }: Call): StreamEncoder {
  let last: Chunk | undefined
  /** What was said after the last choice. */
  let rest: JsonObject = {}
  return {
    encode(deltas) {
      let frames = ''
      for (const delta of deltas) {
        last = delta.chunk
        if (last.choices.length === 0) rest = { ...rest, ...last }
        else frames += frame(includeUsage ? withUsageKey(delta) : jsonOf(delta))
      }
      return frames
    },
    end(usage) {
      if (!includeUsage || last === undefined) return doneFrame
      const { id, object, created, model } = last
      const chunk = { ...rest, id, object, created, model, choices: [], usage } satisfies UsageChunk
      return frame(JSON.stringify(chunk)) + doneFrame
    },
    fail: (failure) => frame(JSON.stringify(openAiError(failure))),
  }
}

/** The last chunk of either kind of stream. */
type UsageChunk = Omit<OpenAI.ChatCompletionChunk | OpenAI.Completion, 'object'> & { readonly object: string }

/** Who asks for usage finds the key in every chunk: null until the last. */
function withUsageKey(delta: Delta): string {
  const json = jsonOf(delta)
  if (delta.chunk.usage !== undefined) return json
  return `${json.slice(0, json.lastIndexOf('}'))},"usage":null}`
}

/**
 * The upstream's own text where it can stand: on one line, without a usage that belongs at the end, and without
 * an `error` key, which Go and Java clients take for an error even when it is null.
 */
function jsonOf({ chunk, source }: Delta): string {
  const clean = (chunk.usage ?? null) === null && chunk['error'] === undefined
  if (clean) return source === undefined || /[\r\n]/.test(source) ? JSON.stringify(chunk) : source
  const { error: _error, ...rest } = chunk
  if (rest.usage !== undefined) rest.usage = null
  return JSON.stringify(rest)
}
