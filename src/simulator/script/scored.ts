import type { JsonObject } from '../../core/model/json/json.ts'
import type { Kind } from '../../core/model/terms.ts'

/**
 * The logprobs of one token in the format of a chat or a text completion, with `top` alternatives. They are invented,
 * and always the same for the same token. `offset` is the token's position in the text.
 */
export function logprobsOf(token: string, kind: Kind, top: number, offset: number): JsonObject {
  const logprob = scoreOf(token)
  const places = [token, ...others.filter((other) => other !== token)].slice(0, top)
  const listed = places.map((text, at) => [text, logprob - at] as const)
  if (kind === 'text') {
    return {
      tokens: [token],
      token_logprobs: [logprob],
      top_logprobs: top === 0 ? null : [Object.fromEntries(listed)],
      text_offset: [offset],
    }
  }
  return {
    content: [{ ...entry(token, logprob), top_logprobs: listed.map(([text, score]) => entry(text, score)) }],
    refusal: null,
  }
}

function entry(token: string, logprob: number): JsonObject {
  return { token, logprob, bytes: [...Buffer.from(token)] }
}

/** Between 0 and -1. */
function scoreOf(token: string): number {
  let sum = 0
  for (const character of token) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 64
  return -(sum + 1) / 64
}

const others = Array.from({ length: 20 }, (_, at) => ` word${at + 1}`)
