import type { JsonObject } from '../../core/model/json/json.ts'
import type { Kind } from '../../core/model/terms.ts'
import type { Counts, Finish, Piece, Refusal, Step } from '../script/script.ts'
import type { Content, ErrorAnswer, OpenAiFormat } from '../server/openai-answer.ts'

/** The parameters of one answer. */
export type TogetherAnswer = {
  readonly kind: Kind
  readonly stream: boolean
  readonly choices: number
  readonly id: string
  readonly model: string
  readonly engine: 'a' | 'b'
  /** True if a stream reports usage. */
  readonly reportsUsage: boolean
  /** Text before the answer, for a completion that echoes its prompt. */
  readonly opening: string
  /** The form in which a stream is interrupted. */
  readonly interruption: TogetherInterruption
  readonly refusal: (step: Refusal) => ErrorAnswer
}

/**
 * The forms in which a stream is interrupted: the connection is closed, or there is an error in a choice or in a chunk.
 */
export const togetherInterruptions = ['connection', 'choice', 'chunk'] as const

export type TogetherInterruption = (typeof togetherInterruptions)[number]

/**
 * Together's variant of OpenAI's format. The engine decides the dialect of streams (A or B). Replies have Together's
 * extra keys.
 */
export function togetherFormat(answer: TogetherAnswer): OpenAiFormat {
  const { kind, stream, choices, engine, opening } = answer
  const parts: Parts = { ...answer, created: createdEpochSeconds, held: undefined }
  const begins = engine === 'b' && kind === 'chat' ? [beginningOf(parts)] : []
  return {
    stream,
    choices,
    opening: opening === '' ? begins : [...begins, ...events(parts, { type: 'text', text: opening })],
    chunks(step, next) {
      if (step.type === 'finish') return endOf(parts, step)
      if (isLastOfTooMany(engine, next)) {
        parts.held = step
        return []
      }
      return events(parts, step)
    },
    reply: (content, finish) => JSON.stringify(replyOf(parts, content, finish), null, 2),
    refusal: answer.refusal,
    errorEvents: breakageOf(parts),
    sendsDone: true,
  }
}

type Parts = TogetherAnswer & {
  readonly created: number
  /** A piece that is sent in the chunk that ends the answer. */
  held: Piece | undefined
}

/** A constant, so that the same request always gets the same answer. */
const createdEpochSeconds = 1_780_235_475

/** Too large for a double. */
const seedA = JSON.rawJSON('12192233397672327001')
const seedB = JSON.rawJSON('2875093277637887001')

/** If the token limit ends the answer, the older engine sends the last token together with the finish reason. */
function isLastOfTooMany(engine: TogetherAnswer['engine'], next: Step | undefined): boolean {
  return engine === 'a' && next?.type === 'finish' && next.reason === 'length'
}

function eachChoice(parts: Parts, choiceOf: (index: number) => JsonObject, more: JsonObject): JsonObject[] {
  return Array.from({ length: parts.choices }, (_, index) => chunkOf(parts, [choiceOf(index)], more))
}

function chunkOf({ id, kind, created, model }: Parts, choices: JsonObject[], more: JsonObject): JsonObject {
  const object = kind === 'chat' ? 'chat.completion.chunk' : 'completion.chunk'
  return { id, object, created, choices, model, ...more }
}

/** The first chunk of a stream, without text and without a `usage` key. */
function beginningOf(parts: Parts): JsonObject {
  const choices = Array.from({ length: parts.choices }, (_, index) => choiceOf(parts, index, '', {}, {}))
  return chunkOf(parts, choices, {})
}

function events(parts: Parts, piece: Piece): JsonObject[] {
  const { text, delta } = contentFieldsOf(piece)
  const seed = parts.engine === 'a' ? { seed: null } : {}
  return eachChoice(parts, (index) => choiceOf(parts, index, text, delta, seed), { usage: null })
}

/** A choice of a chunk. Together repeats the text in the choice and in its delta, and the role in every chunk. */
function choiceOf(
  { engine }: Parts,
  index: number,
  text: string,
  delta: JsonObject,
  more: JsonObject,
): JsonObject {
  const reasoning = engine === 'b' ? { reasoning: null } : {}
  const token = engine === 'a' ? 1 : null
  return {
    ...{ index, text, logprobs: null, finish_reason: null },
    ...more,
    delta: { token_id: token, role: 'assistant', content: text, ...reasoning, ...delta },
  }
}

function contentFieldsOf(piece: Piece): { readonly text: string; readonly delta: JsonObject } {
  if (piece.type === 'text') return { text: piece.text, delta: {} }
  if (piece.type === 'reasoning') return { text: '', delta: { reasoning: piece.text } }
  const { id = null, name = null } = piece.opens ?? {}
  const called = { name, arguments: piece.fragment }
  return { text: '', delta: { tool_calls: [{ id, index: 0, type: 'function', function: called }] } }
}

/**
 * The end of a stream. Dialect A reports usage in the chunk that ends the last choice, dialect B in a chunk after it.
 */
function endOf(parts: Parts, { reason, reported, extra }: Finish): JsonObject[] {
  const { engine, kind, choices, reportsUsage } = parts
  const { text, delta } = parts.held === undefined ? { text: '', delta: {} } : contentFieldsOf(parts.held)
  const isOld = engine === 'a'
  const ending = { finish_reason: isOld && reason === 'stop' ? 'eos' : reason, ...(isOld && { seed: seedA }) }
  const usage = reported === undefined || !reportsUsage ? null : usageOf(parts, reported)
  const ends = eachChoice(parts, (index) => choiceOf(parts, index, text, delta, ending), {
    usage: null,
    ...extra,
  })
  if (usage === null) return ends
  if (isOld || kind === 'text') {
    const last = ends[choices - 1]
    return last === undefined ? ends : [...ends.slice(0, -1), { ...last, usage }]
  }
  return [...ends, chunkOf(parts, [], { usage })]
}

function usageOf({ engine, choices }: Parts, reported: Counts): JsonObject {
  const completion = reported.completionTokens * choices
  const total = reported.promptTokens + completion
  const counts = { prompt_tokens: reported.promptTokens, completion_tokens: completion, total_tokens: total }
  return { ...counts, ...(engine === 'a' ? { cached_tokens: 0 } : { reasoning_tokens: 0 }) }
}

function breakageOf(parts: Parts): readonly JsonObject[] | undefined {
  const error = { message: 'Inference stopped.', type: 'server_error', code: null, param: null }
  if (parts.interruption === 'chunk') return [{ error }]
  if (parts.interruption === 'choice') return [chunkOf(parts, [{ index: 0, delta: {}, error }], {})]
  return undefined
}

function replyOf(parts: Parts, content: Content, { reason, reported, extra }: Finish): JsonObject {
  const { id, kind, engine, model, created, choices } = parts
  const isOld = engine === 'a'
  const common = {
    logprobs: null,
    finish_reason: isOld && reason === 'stop' ? 'eos' : reason,
    seed: isOld ? seedA : seedB,
  }
  const list = Array.from({ length: choices }, (_, index) =>
    kind === 'text'
      ? { index, text: parts.opening + content.text, ...common }
      : { index, message: messageOf(content, isOld), ...common },
  )
  return {
    ...{ id, object: kind === 'chat' ? 'chat.completion' : 'text.completion', created, model },
    ...(isOld ? {} : { metadata: { weight_version: 'default' } }),
    ...{ prompt: [], choices: list },
    ...(reported === undefined ? {} : { usage: usageOf(parts, reported) }),
    ...extra,
  }
}

function messageOf({ text, reasoning, call }: Content, isOld: boolean): JsonObject {
  const calls =
    call === undefined
      ? []
      : [
          {
            ...{ index: 0, id: call.id, type: 'function' },
            function: { name: call.name, arguments: call.arguments },
          },
        ]
  const message = { role: 'assistant', content: text, tool_calls: calls }
  return isOld ? message : { ...message, reasoning }
}
