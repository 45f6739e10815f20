import type { Call } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { echoedPrompt } from '../script/request.ts'
import type { Counts, Finish, Piece } from '../script/script.ts'
import type { Content, OpenAiFormat } from '../server/openai-answer.ts'

/** OpenAI's format as written by vLLM, the server inside a worker. */
export function vllmFormat(call: Call, model: string): OpenAiFormat {
  const { kind, stream } = call
  const envelope = {
    id: `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-simulated`,
    created: createdEpochSeconds,
    model,
  }
  const parts: Parts = { call, envelope, opening: echoedPrompt(call) }
  const begins = kind === 'chat' ? [chunkOf(parts, { delta: { role: 'assistant', content: '' } }, null)] : []
  const echoes = parts.opening === '' ? [] : [chunkOf(parts, { text: parts.opening }, null)]
  return {
    stream,
    choices: 1,
    opening: [...begins, ...echoes],
    chunks: (step) => (step.type === 'finish' ? endOf(parts, step) : [pieceOf(parts, step)]),
    reply: (content, finish) => JSON.stringify(replyOf(parts, content, finish)),
    refusal: ({ status, error, retryAfterSeconds: seconds }) => ({
      status,
      headers: seconds === undefined ? {} : { 'retry-after': String(seconds) },
      body: JSON.stringify({ error: { ...error, code: status } }),
    }),
    sendsDone: true,
  }
}

/** A constant, so that the same request always gets the same answer. */
const createdEpochSeconds = 1_785_900_000

type Parts = {
  readonly call: Call
  readonly envelope: JsonObject
  readonly opening: string
}

function chunkOf({ call, envelope }: Parts, what: JsonObject, reason: string | null): JsonObject {
  const { id, ...rest } = envelope
  const object = call.kind === 'chat' ? 'chat.completion.chunk' : 'text_completion'
  const choice = { index: 0, ...what, logprobs: null, finish_reason: reason }
  return { id, object, ...rest, choices: [choice] }
}

function pieceOf(parts: Parts, piece: Piece): JsonObject {
  if (parts.call.kind === 'text')
    return chunkOf(parts, { text: piece.type === 'text' ? piece.text : '' }, null)
  if (piece.type === 'text') return chunkOf(parts, { delta: { content: piece.text } }, null)
  if (piece.type === 'reasoning') return chunkOf(parts, { delta: { reasoning_content: piece.text } }, null)
  const { opens, fragment } = piece
  const called = { index: 0, ...(opens && { id: opens.id, type: 'function' }) }
  const described = { ...(opens && { name: opens.name }), arguments: fragment }
  return chunkOf(parts, { delta: { tool_calls: [{ ...called, function: described }] } }, null)
}

function endOf(parts: Parts, { reason, reported, extra }: Finish): JsonObject[] {
  const { call } = parts
  const last = { ...chunkOf(parts, call.kind === 'chat' ? { delta: {} } : { text: '' }, reason), ...extra }
  if (reported === undefined || !call.includeUsage) return [last]
  return [last, { ...chunkOf(parts, {}, null), choices: [], usage: usageOf(reported) }]
}

function replyOf({ call, envelope, opening }: Parts, content: Content, finish: Finish): JsonObject {
  const { id, ...rest } = envelope
  const { text, reasoning, call: called } = content
  const tools = called && {
    tool_calls: [
      { id: called.id, type: 'function', function: { name: called.name, arguments: called.arguments } },
    ],
  }
  const thoughts = reasoning === '' ? {} : { reasoning_content: reasoning }
  const message = { role: 'assistant', content: called === undefined ? text : null, ...thoughts, ...tools }
  const held = call.kind === 'chat' ? { message } : { text: opening + text }
  return {
    ...{ id, object: call.kind === 'chat' ? 'chat.completion' : 'text_completion', ...rest },
    choices: [{ index: 0, ...held, logprobs: null, finish_reason: finish.reason, stop_reason: null }],
    ...(finish.reported && { usage: usageOf(finish.reported) }),
    ...finish.extra,
  }
}

function usageOf({ promptTokens, completionTokens, totalTokens }: Counts): JsonObject {
  return { prompt_tokens: promptTokens, total_tokens: totalTokens, completion_tokens: completionTokens }
}
