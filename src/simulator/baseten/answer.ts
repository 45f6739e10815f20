import type { Call } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { echoedPrompt } from '../script/request.ts'
import type { Counts, Finish, Piece, Refusal, Script } from '../script/script.ts'
import type { Content, ErrorAnswer, OpenAiFormat } from '../server/openai-answer.ts'
import type { BasetenEngine } from './models.ts'

/** The parameters of one answer. */
export type BasetenAnswer = {
  readonly call: Call
  readonly id: string
  readonly engine: BasetenEngine
  readonly choices: number
  readonly script: Script
  readonly refusal: (step: Refusal) => ErrorAnswer
}

/**
 * Baseten's variant of OpenAI's format. Replies are compact. Deltas of a stream are padded with nulls, usage grows from
 * chunk to chunk, and tool calls repeat their id in every fragment.
 */
export function basetenFormat(answer: BasetenAnswer): OpenAiFormat {
  const { call, choices, engine, script } = answer
  const finish = script.find((step) => step.type === 'finish')
  const reportsUsage = call.includeUsage && finish?.reported !== undefined
  const parts: Parts = {
    ...answer,
    counted: reportsUsage ? finish?.counts : undefined,
    generated: 0,
    toolId: null,
  }
  return {
    stream: call.stream,
    choices,
    opening: openingOf(parts),
    chunks(step) {
      if (step.type === 'finish') return endOf(parts, step)
      parts.generated++
      return eachChoice(parts, contentFieldsOf(parts, step))
    },
    reply: (content, end) => JSON.stringify(replyOf(answer, content, end)),
    refusal: answer.refusal,
    sendsDone: engine !== 'b-early',
  }
}

type Parts = BasetenAnswer & {
  /** The counts of usage; undefined if a stream reports none. */
  readonly counted: Counts | undefined
  /** Tokens sent so far, per choice. */
  generated: number
  /** The id of the current tool call. */
  toolId: string | null
}

/** A constant, so that the same request always gets the same answer. */
const createdEpochSeconds = 1_780_264_254

/** The stop reason in GLM's form. */
const glmStop = { stop_reason: 154_827 }

function openingOf(parts: Parts): JsonObject[] {
  if (parts.call.kind === 'chat') return eachChoice(parts, { delta: padded({ role: 'assistant' }) })
  const echoed = echoedPrompt(parts.call)
  return echoed === '' ? [] : eachChoice(parts, { text: echoed })
}

function eachChoice(parts: Parts, held: JsonObject): JsonObject[] {
  return Array.from({ length: parts.choices }, (_, index) =>
    chunkOf(parts, [{ index, ...held }], cumulative(parts, index + 1)),
  )
}

function chunkOf({ call, id }: Parts, choices: JsonObject[], usage: JsonObject | undefined): JsonObject {
  const object = call.kind === 'chat' ? 'chat.completion.chunk' : 'text_completion'
  return {
    ...{ id, choices, created: createdEpochSeconds, model: call.model },
    ...{ service_tier: null, system_fingerprint: null, object },
    ...(usage && { usage }),
  }
}

/** The usage up to this chunk. Choices up to this one have this token, later ones have one token less. */
function cumulative({ counted, generated, choices }: Parts, reported: number): JsonObject | undefined {
  if (counted === undefined) return undefined
  const before = Math.max(0, generated - 1)
  return usageOf(counted.promptTokens, generated * reported + before * (choices - reported))
}

function padded(delta: JsonObject): JsonObject {
  const nothing = { content: null, function_call: null, tool_calls: null, role: null, refusal: null }
  return { ...nothing, ...delta }
}

function contentFieldsOf(parts: Parts, piece: Piece): JsonObject {
  if (parts.call.kind === 'text') return { text: piece.type === 'text' ? piece.text : '' }
  if (piece.type === 'text') return { delta: padded({ content: piece.text }) }
  if (piece.type === 'reasoning') return { delta: padded({ reasoning_content: piece.text }) }
  const { opens, fragment } = piece
  parts.toolId = opens === undefined ? parts.toolId : toolId(opens.id)
  const called = { name: opens?.name ?? null, arguments: fragment }
  return {
    delta: padded({ tool_calls: [{ index: 0, id: parts.toolId, type: 'function', function: called }] }),
  }
}

function toolId(id: string): string {
  return `chatcmpl-tool-${id}`
}

function endOf(parts: Parts, { reason, reported, extra }: Finish): JsonObject[] {
  const { call, choices, engine, counted } = parts
  const usage = counted && reported && usageOf(reported.promptTokens, reported.completionTokens * choices)
  const nothing = call.kind === 'chat' ? { delta: padded({}) } : { text: '' }
  const ends = Array.from({ length: choices }, (_, index) =>
    chunkOf(
      parts,
      [{ index, ...nothing, finish_reason: reason, ...(engine === 'b-early' && glmStop) }],
      usage,
    ),
  ).map((chunk) => ({ ...chunk, ...extra }))
  return usage === undefined || engine === 'b-early' ? ends : [...ends, chunkOf(parts, [], usage)]
}

/** A whole reply. It has no keys for logprobs and fingerprint. A message with a tool call has no `content` key. */
function replyOf({ call, id, engine, choices }: BasetenAnswer, content: Content, finish: Finish): JsonObject {
  const { reason, reported, extra } = finish
  const held =
    call.kind === 'chat' ? { message: messageOf(content) } : { text: echoedPrompt(call) + content.text }
  const list = Array.from({ length: choices }, (_, index) => ({
    ...{ index, ...held, finish_reason: reason },
    ...(engine === 'b-early' && glmStop),
  }))
  const object = call.kind === 'chat' ? 'chat.completion' : 'text_completion'
  return {
    ...{ id, choices: list, created: createdEpochSeconds, model: call.model, object },
    ...(reported && { usage: usageOf(reported.promptTokens, reported.completionTokens * choices) }),
    ...extra,
  }
}

function messageOf({ text, reasoning, call }: Content): JsonObject {
  const thoughts = reasoning === '' ? {} : { reasoning_content: reasoning }
  if (call === undefined) return { content: text, role: 'assistant', ...thoughts }
  const called = { name: call.name, arguments: call.arguments }
  return {
    role: 'assistant',
    ...thoughts,
    tool_calls: [{ id: toolId(call.id), type: 'function', function: called }],
  }
}

function usageOf(promptTokens: number, completionTokens: number): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { audio_tokens: 0, cached_tokens: 0 },
    completion_tokens_details: {
      ...{ accepted_prediction_tokens: 0, audio_tokens: 0 },
      ...{ reasoning_tokens: 0, rejected_prediction_tokens: 0 },
    },
  }
}
