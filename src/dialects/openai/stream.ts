import type OpenAI from 'openai'
import { answerIdOf } from '../../core/model/answer-id.ts'
import type { Call, Chunk, Delta } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { StreamEncoder } from '../shared/dialect.ts'
import { doneFrame, frame } from '../shared/sse-frame.ts'
import { openAiError } from './error.ts'

/** Writes a stream in OpenAI's format: a frame per chunk, one for the usage if requested, `[DONE]`. */
export function createOpenAiStream(call: Call): StreamEncoder {
  const { includeUsage } = call
  let last: Chunk | undefined
  /** Fields that came after the last choice. */
  let rest: Chunk | undefined
  /** Whether there was anything before the answer began. */
  let early: Early | undefined
  /** Whether the last chunk was sent in its upstream's own text: then one that differs by a word can be spliced. */
  let isAsSent = false
  let addsUsage = false
  return {
    encode(deltas) {
      let frames = ''
      for (const given of deltas) {
        if (given.word !== undefined && isAsSent) {
          frames += frame(addsUsage ? withUsageNull(given.text) : given.text)
          continue
        }
        const delta = early === undefined ? given : withIdentity(given, early)
        last = delta.value
        if (last.choices.length === 0) {
          rest = { ...rest, ...last }
          continue
        }
        const own = ownText(delta)
        isAsSent = own !== undefined
        const json = own ?? rewritten(last)
        addsUsage = includeUsage && last.usage === undefined
        frames += frame(addsUsage ? withUsageNull(json) : json)
      }
      return frames
    },
    idle(startedEpochMs) {
      if (last === undefined) early ??= { id: answerIdOf(call), created: Math.floor(startedEpochMs / 1000) }
      const chunk = last === undefined ? { ...early, ...unbegun(call) } : unsaid(last)
      if (chunk === undefined) return ''
      return frame(JSON.stringify(includeUsage ? { ...chunk, usage: null } : chunk))
    },
    end(usage) {
      if (last === undefined) return doneFrame
      if (!includeUsage) return afterAll(rest, last) + doneFrame
      const { id, object, created, model } = last
      const chunk = { ...rest, id, object, created, model, choices: [], usage } satisfies UsageChunk
      return frame(JSON.stringify(chunk)) + doneFrame
    },
    fail: (failure) => frame(JSON.stringify(openAiError(failure))),
  }
}

/**
 * What came after the last choice, for who did not ask for usage: a chunk without choices is expected by those alone
 * who did, so it stands beside a choice that says nothing.
 */
function afterAll(rest: Chunk | undefined, { choices: [choice], object }: Chunk): string {
  if (rest === undefined || Object.keys(rest).every((name) => ofEveryChunk.has(name))) return ''
  const silent = silentChoice(choice?.index ?? 0, object === 'text_completion')
  return frame(rewritten({ ...rest, choices: [silent] } as Chunk))
}

const ofEveryChunk: ReadonlySet<string> = new Set([
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

/** An empty chunk of an answer that has not begun. */
function unbegun({ kind, model }: Call): JsonObject {
  const isText = kind === 'text'
  const object = isText ? 'text_completion' : 'chat.completion.chunk'
  return { object, model, choices: [silentChoice(0, isText)] }
}

/**
 * An empty chunk of the choice that was sent last; undefined if that choice has finished, because nothing may follow
 * it.
 */
function unsaid({ id, object, created, model, choices: [choice] }: Chunk): JsonObject | undefined {
  if (choice === undefined || choice.finish_reason !== null) return undefined
  return { id, object, created, model, choices: [silentChoice(choice.index, choice.delta === undefined)] }
}

function silentChoice(index: number, isText: boolean): JsonObject {
  return { index, ...(isText ? { text: '' } : { delta: {} }), logprobs: null, finish_reason: null }
}

/** With `include_usage`, every chunk has the key: null until the last. */
function withUsageNull(json: string): string {
  return `${json.slice(0, json.lastIndexOf('}'))},"usage":null}`
}

/**
 * The upstream's own text if it can be used: on one line, without usage that belongs at the end, and without an `error`
 * key, which Go and Java clients take for an error even if it is null. Undefined if it cannot.
 */
function ownText(delta: Delta): string | undefined {
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
