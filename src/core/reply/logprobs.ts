import { isObject, type JsonObject } from '../model/json/json.ts'
import type { Kind } from '../model/terms.ts'

/**
 * Writes a choice's logprobs in OpenAI's format for its kind. Some upstreams answer chats in the text format (Together)
 * or texts in the chat format (llama.cpp), and in a stream with a bare number. True if they were changed.
 */
export function settleLogprobs(choice: JsonObject, kind: Kind, before: ScoredText): boolean {
  const { logprobs } = choice
  if (logprobs === undefined || logprobs === null) return false
  const given = typeof logprobs === 'number' ? bareOf(choice, logprobs) : logprobs
  const settled = kind === 'chat' ? chatLogprobs(given) : textLogprobs(given, before)
  if (settled === logprobs) return false
  choice['logprobs'] = settled
  return true
}

/** How much of a choice's text has had its logprobs: where the next token begins. */
export type ScoredText = { offset: number }

type Scored = {
  readonly token: unknown
  readonly logprob: unknown
  readonly top: readonly (readonly [token: string, logprob: unknown])[] | undefined
}

/** A bare number belongs to the one token beside it. */
function bareOf(choice: JsonObject, logprob: number): JsonObject {
  const message = isObject(choice['delta']) ? choice['delta'] : choice['message']
  const content = isObject(message) ? message['content'] : undefined
  const text = choice['text'] ?? content
  const top = choice['top_logprobs']
  return {
    tokens: [textIn(text)],
    token_logprobs: [logprob],
    ...(isObject(top) ? { top_logprobs: [top] } : {}),
  }
}

function chatLogprobs(given: unknown): unknown {
  if (!isObject(given) || Array.isArray(given['content']) || Array.isArray(given['refusal'])) return given
  const scored = scoredInText(given)
  if (scored === undefined) return given
  return {
    content: scored.map(({ token, logprob, top = [] }) => ({
      token,
      logprob,
      bytes: bytesOf(token),
      top_logprobs: top.map(([text, score]) => ({ token: text, logprob: score, bytes: bytesOf(text) })),
    })),
    refusal: null,
  }
}

function textLogprobs(given: unknown, before: ScoredText): unknown {
  if (!isObject(given)) return given
  const { tokens, text_offset: offsets, content } = given
  const scored = Array.isArray(tokens) ? scoredInText(given) : scoredInChat(content)
  if (scored === undefined) return given
  if (Array.isArray(tokens) && Array.isArray(offsets)) return given
  return {
    tokens: scored.map(({ token }) => token),
    token_logprobs: scored.map(({ logprob }) => logprob),
    top_logprobs: scored.some(({ top }) => top !== undefined)
      ? scored.map(({ top = [] }) => Object.fromEntries(top))
      : null,
    text_offset: scored.map(({ token }) => {
      const at = before.offset
      before.offset += textIn(token).length
      return at
    }),
  }
}

function scoredInText({ tokens, token_logprobs: scores, top_logprobs: tops }: JsonObject) {
  if (!Array.isArray(tokens) || !Array.isArray(scores)) return undefined
  return tokens.map((token: unknown, at): Scored => {
    const top: unknown = Array.isArray(tops) ? tops[at] : undefined
    return { token, logprob: scores[at] ?? null, top: isObject(top) ? Object.entries(top) : undefined }
  })
}

function scoredInChat(content: unknown): readonly Scored[] | undefined {
  if (!Array.isArray(content) || !content.every(isObject)) return undefined
  return content.map(({ token, logprob = null, top_logprobs: tops }) => ({
    token,
    logprob,
    top: Array.isArray(tops)
      ? tops.filter(isObject).map(({ token: text, logprob: score }) => [textIn(text), score] as const)
      : undefined,
  }))
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The text of a token; part of a character has none. */
function bytesOf(token: unknown): readonly number[] | null {
  return typeof token === 'string' && !token.includes('\ufffd') ? [...Buffer.from(token)] : null
}
