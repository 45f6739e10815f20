import type { RawDelta } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Kind } from '../../core/model/terms.ts'
import { logprobsOf } from './scored.ts'
import type { Counts, Finish, Piece } from './script.ts'

/** Writes a script's pieces as OpenAI's chunks, and buffers them until they are taken as one burst. */
export interface AnswerScript {
  /** The number of buffered chunks. */
  readonly count: number
  write(piece: Piece): void
  finish(step: Finish): void
  take(): readonly RawDelta[]
}

export type AnswerScriptParts = {
  readonly kind: Kind
  readonly id: string
  readonly createdEpochSeconds: number
  readonly model: string
  /** Text before the answer, for a completion that echoes its prompt. */
  readonly opening: string
  /** The number of alternatives in the logprobs of each token. Absent: no logprobs. */
  readonly logprobs?: number | undefined
}

export function createAnswerScript(parts: AnswerScriptParts): AnswerScript {
  let burst: RawDelta[] = []
  let begun = false
  /** The position of the next token in the text. */
  let offset = parts.opening.length
  const push = (choices: readonly JsonObject[], more: JsonObject = {}) => {
    burst.push(JsonText.of({ ...envelopeOf(parts), choices, ...more }))
  }
  const begin = () => {
    if (begun) return
    begun = true
    if (parts.kind === 'chat') push([chatChoice({ role: 'assistant', content: '' }, null)])
    else if (parts.opening !== '') push([textChoice(parts.opening, null)])
  }
  return {
    get count() {
      return burst.length
    },
    write(piece) {
      begin()
      const { kind, logprobs: top } = parts
      const choice = kind === 'chat' ? chatChoice(deltaOf(piece), null) : textChoice(textOf(piece), null)
      if (top === undefined || piece.type !== 'text') push([choice])
      else push([{ ...choice, logprobs: logprobsOf(piece.text, kind, top, offset) }])
      offset += textOf(piece).length
    },
    finish({ reason, reported, extra }) {
      begin()
      push([parts.kind === 'chat' ? chatChoice({}, reason) : textChoice('', reason)], extra)
      if (reported !== undefined) push([], { usage: usageOf(reported) })
    },
    take() {
      const taken = burst
      burst = []
      return taken
    },
  }
}

function envelopeOf({ kind, id, createdEpochSeconds, model }: AnswerScriptParts): JsonObject {
  const object = kind === 'chat' ? 'chat.completion.chunk' : 'text_completion'
  return { id, object, created: createdEpochSeconds, model }
}

function chatChoice(delta: JsonObject, reason: string | null): JsonObject {
  return { index: 0, delta, logprobs: null, finish_reason: reason }
}

function textChoice(text: string, reason: string | null): JsonObject {
  return { index: 0, text, logprobs: null, finish_reason: reason }
}

function deltaOf(piece: Piece): JsonObject {
  if (piece.type === 'text') return { content: piece.text }
  if (piece.type === 'reasoning') return { reasoning_content: piece.text }
  const { opens, fragment } = piece
  if (opens === undefined) return { tool_calls: [{ index: 0, function: { arguments: fragment } }] }
  const called = { name: opens.name, arguments: fragment }
  return { tool_calls: [{ index: 0, id: opens.id, type: 'function', function: called }] }
}

/** The text of a piece. Scripts of a text completion contain only text. */
function textOf(piece: Piece): string {
  return piece.type === 'tool' ? '' : piece.text
}

function usageOf({ promptTokens, completionTokens, totalTokens }: Counts): JsonObject {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
}
