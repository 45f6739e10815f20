import type OpenAI from 'openai'
import { answerIdOf } from '../../core/model/answer-id.ts'
import type { Call, Chunk, Delta } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { StreamEncoder } from '../shared/dialect.ts'
import { doneFrame, frame } from '../shared/sse-frame.ts'
import { openAiError } from './error.ts'

/** Writes a stream in OpenAI's format: a frame per chunk, a frame for the usage if requested, then `[DONE]`. */
export function createOpenAiStream(call: Call): StreamEncoder {
  const { includeUsage } = call
  let last: Chunk | undefined
  /** Fields of chunks without choices, which follow the last choice. */
  let rest: Chunk | undefined
  /** The identity that keep-alive chunks before the first delta had. */
  let early: Early | undefined
  /** The last chunk was sent as the upstream's own text, so a chunk that differs only in its word can be too. */
  let wasForwarded = false
  let addsUsage = false
  return {
    encode(deltas) {
      let frames = ''
      for (const given of deltas) {
        if (given.word !== undefined && wasForwarded) {
          frames += frame(addsUsage ? withUsageNull(given.text) : given.text)
          continue
        }
        const delta = early === undefined ? given : withIdentity(given, early)
        last = delta.value
        if (last.choices.length === 0) {
          rest = { ...rest, ...last }
          continue
        }
        const own = forwardableText(delta)
        wasForwarded = own !== undefined
        const json = own ?? rewritten(last)
        addsUsage = includeUsage && last.usage === undefined
        frames += frame(addsUsage ? withUsageNull(json) : json)
      }
      return frames
    },
    idle(startedEpochMs) {
      if (last === undefined) early ??= { id: answerIdOf(call), created: Math.floor(startedEpochMs / 1000) }
      const chunk = last === undefined ? { ...early, ...emptyFirstChunk(call) } : emptyNextChunk(last)
      if (chunk === undefined) return ''
      return frame(JSON.stringify(includeUsage ? { ...chunk, usage: null } : chunk))
    },
    end(usage) {
      if (last === undefined) return doneFrame
      if (!includeUsage) return trailingFields(rest, last) + doneFrame
      const { id, object, created, model } = last
      const chunk = { ...rest, id, object, created, model, choices: [], usage } satisfies UsageChunk
      return frame(JSON.stringify(chunk)) + doneFrame
    },
    fail: (failure) => frame(JSON.stringify(openAiError(failure))),
  }
}

/**
 * The frame of fields that followed the last choice, for callers that did not request usage. They do not expect a chunk
 * without choices, so the fields are sent beside an empty choice.
 */
function trailingFields(rest: Chunk | undefined, { choices: [choice], object }: Chunk): string {
  if (rest === undefined || Object.keys(rest).every((name) => standardFields.has(name))) return ''
  const empty = emptyChoice(choice?.index ?? 0, object === 'text_completion')
  return frame(rewritten({ ...rest, choices: [empty] } as Chunk))
}

const standardFields: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'error',
])

/** The last chunk of either kind of stream. */
type UsageChunk = Omit<OpenAI.ChatCompletionChunk | OpenAI.Completion, 'object'> & { readonly object: string }

type Early = Pick<Chunk, 'id' | 'created'>

function withIdentity({ value }: Delta, early: Early): Delta {
  return JsonText.of({ ...value, ...early })
}

/** An empty chunk before the first delta. */
function emptyFirstChunk({ kind, model }: Call): JsonObject {
  const isText = kind === 'text'
  const object = isText ? 'text_completion' : 'chat.completion.chunk'
  return { object, model, choices: [emptyChoice(0, isText)] }
}

/**
 * An empty chunk of the choice that was sent last. Undefined if that choice has finished, because nothing may follow
 * its finish reason.
 */
function emptyNextChunk({ id, object, created, model, choices: [choice] }: Chunk): JsonObject | undefined {
  if (choice === undefined || choice.finish_reason !== null) return undefined
  return { id, object, created, model, choices: [emptyChoice(choice.index, choice.delta === undefined)] }
}

function emptyChoice(index: number, isText: boolean): JsonObject {
  return { index, ...(isText ? { text: '' } : { delta: {} }), logprobs: null, finish_reason: null }
}

/** With `include_usage`, every chunk but the last has `"usage": null`. */
function withUsageNull(json: string): string {
  return `${json.slice(0, json.lastIndexOf('}'))},"usage":null}`
}

/**
 * The upstream's own text, if it can be forwarded: it is one line, has no usage, which belongs at the end, and has no
 * `error` key, which Go and Java clients treat as an error even if it is null. Otherwise undefined.
 */
function forwardableText(delta: Delta): string | undefined {
  if (!delta.isWritten || !isClean(delta.value)) return undefined
  return /[\r\n]/.test(delta.text) ? undefined : delta.text
}

function isClean(chunk: Chunk): boolean {
  return (chunk.usage ?? null) === null && chunk['error'] === undefined
}

function rewritten(chunk: Chunk): string {
  if (isClean(chunk)) return JSON.stringify(chunk)
  const { error: _error, ...rest } = chunk
  if (rest.usage !== undefined) rest.usage = null
  return JSON.stringify(rest)
}
