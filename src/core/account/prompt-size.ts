import type { AnyCall } from '../model/call.ts'
import { isObject, type JsonObject } from '../model/json/json.ts'
import { createLruMap } from '../model/lru-map.ts'

/**
 * Estimates prompt tokens without a tokenizer, well enough to compare prices. Counts that upstreams report correct it
 * per model.
 */
export interface PromptSizes {
  /** In tokens; token ids count exactly. Takes time by the number of texts, not by their length. */
  estimate(call: AnyCall): number
  /** Records an upstream's count for this call. */
  learn(call: AnyCall, reportedTokens: number): void
}

/** Keeps the `capacity` most recently used models. */
export function createPromptSizes(capacity = 1000): PromptSizes {
  const counted = createLruMap<Counted>(capacity)
  return {
    estimate(call) {
      const { exactTokens, textTokens } = promptSizeOf(call)
      return wholeTokens(exactTokens + textTokens * ratioOf(counted.get(call.model)))
    },
    learn(call, reportedTokens) {
      const { exactTokens, textTokens } = promptSizeOf(call)
      const reported = reportedTokens - exactTokens
      if (!(reported > 0 && textTokens > 0)) return
      const { reported: reportedBefore, estimated } = counted.get(call.model) ?? { reported: 0, estimated: 0 }
      counted.set(call.model, {
        reported: reportedBefore * kept + reported,
        estimated: estimated * kept + textTokens,
      })
    },
  }
}

/** Tokens that are counted exactly, and tokens that are estimated from characters. */
export type PromptSize = { readonly exactTokens: number; readonly textTokens: number }

/** How texts and media are counted. */
export type TokenMeasure = { readonly tokensIn: (text: string) => number; readonly mediaTokens: number }

/** The size of a prompt, of messages with their tools, or of the texts of a relay, from characters alone. */
export function promptSizeOf(
  { kind, body: { value: body } }: AnyCall,
  measure: TokenMeasure = estimated,
): PromptSize {
  if (kind === 'rerank') return { exactTokens: 0, textTokens: rerankTokens(body, measure) }
  const prompt = kind === 'embeddings' ? body['input'] : body['prompt']
  if (kind !== 'chat') return { exactTokens: idsIn(prompt), textTokens: textsIn(prompt, measure) }
  let textTokens =
    tokensPerReply + schemaTokens(body['tools'], measure) + schemaTokens(body['functions'], measure)
  const messages = body['messages']
  if (Array.isArray(messages)) for (const message of messages) textTokens += messageTokens(message, measure)
  return { exactTokens: 0, textTokens }
}

/** An estimate as a whole number: 0 only for no text. */
export function wholeTokens(judged: number): number {
  return judged > 0 ? Math.max(1, Math.round(judged)) : 0
}

/** Reported tokens, and the estimates for them; both decay alike. */
type Counted = { readonly reported: number; readonly estimated: number }

/** The decay per call: about twenty calls matter. */
const kept = 0.95

/** The weight of the prior, a correct estimate: a few short prompts hardly move the ratio. */
const priorTokens = 200

/** No tokenizer differs by more than this factor, though a template's constant preamble may make it look so. */
const maxRatio = 2

function ratioOf(counted: Counted | undefined): number {
  if (counted === undefined) return 1
  const ratio = (counted.reported + priorTokens) / (counted.estimated + priorTokens)
  return Math.min(Math.max(ratio, 1 / maxRatio), maxRatio)
}

/** The template's tokens: around each message, and for the start of the reply. */
const tokensPerMessage = 4
const tokensPerReply = 3

function messageTokens(message: unknown, measure: TokenMeasure): number {
  if (!isObject(message)) return 0
  let tokens = tokensPerMessage + contentTokens(message['content'], measure)
  for (const field of wordsBeside) {
    const words = message[field]
    if (typeof words === 'string') tokens += measure.tokensIn(words)
  }
  return (
    tokens + schemaTokens(message['tool_calls'], measure) + schemaTokens(message['function_call'], measure)
  )
}

const wordsBeside = ['name', 'reasoning_content', 'refusal'] as const

function contentTokens(content: unknown, measure: TokenMeasure): number {
  if (typeof content === 'string') return measure.tokensIn(content)
  if (!Array.isArray(content)) return 0
  let tokens = 0
  for (const part of content) {
    tokens += typeof part === 'string' ? measure.tokensIn(part) : partTokens(part, measure)
  }
  return tokens
}

function partTokens(part: unknown, { tokensIn, mediaTokens }: TokenMeasure): number {
  if (!isObject(part)) return 0
  const words = part['text'] ?? part['refusal']
  return typeof words === 'string' ? tokensIn(words) : mediaTokens
}

/** The text of a tool definition or tool call: JSON, whose punctuation adds about a token per value. */
export function schemaTokens(value: unknown, measure: TokenMeasure): number {
  if (typeof value === 'string') return measure.tokensIn(value) + 1
  if (value === undefined || value === null) return 0
  if (Array.isArray(value))
    return value.reduce((tokens: number, item) => tokens + schemaTokens(item, measure), 0)
  return isObject(value) ? fieldTokens(value, measure) : 1
}

function fieldTokens(value: JsonObject, measure: TokenMeasure): number {
  let tokens = 1
  for (const key in value) tokens += measure.tokensIn(key) + 1 + schemaTokens(value[key], measure)
  return tokens
}

/** A prompt is a text, a list of texts, token ids, or a list of token id lists. */
function idsIn(prompt: unknown): number {
  if (typeof prompt === 'number') return 1
  if (!Array.isArray(prompt)) return 0
  if (typeof prompt[0] === 'number') return prompt.length
  return prompt.reduce((tokens: number, each) => tokens + idsIn(each), 0)
}

function textsIn(prompt: unknown, measure: TokenMeasure): number {
  if (typeof prompt === 'string') return measure.tokensIn(prompt)
  if (!Array.isArray(prompt) || typeof prompt[0] === 'number') return 0
  return prompt.reduce((tokens: number, each) => tokens + textsIn(each, measure), 0)
}

/** The query is read again with every document. */
function rerankTokens({ query, documents }: JsonObject, measure: TokenMeasure): number {
  if (!Array.isArray(documents)) return 0
  const queryTokens = typeof query === 'string' ? measure.tokensIn(query) : 0
  return documents.reduce((tokens: number, each) => tokens + queryTokens + schemaTokens(each, measure), 0)
}

/** In UTF-16 units: shorter text is read whole, longer text in equally spaced samples. */
const wholeLength = 256
const samples = 8
const sampleLength = wholeLength / samples

export function tokensIn(text: string): number {
  if (text.length <= wholeLength) return weigh(text, 0, text.length)
  const distance = (text.length - sampleLength) / (samples - 1)
  let tokens = 0
  for (let sample = 0; sample < samples; sample++) {
    const start = Math.floor(sample * distance)
    tokens += weigh(text, start, start + sampleLength)
  }
  return (tokens * text.length) / wholeLength
}

function weigh(text: string, start: number, end: number): number {
  let hundredths = 0
  let before = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    hundredths += code === before && !isLetter(code) ? repeated : (ascii[code] ?? foreign(code))
    before = code
  }
  return hundredths / 100
}

/** A repeated space, dash or line break. */
const repeated = 8

/**
 * Hundredths of a token per character, measured with cl100k_base: ASCII by code, then ranges beyond it. Newer
 * vocabularies of open models are slightly better at the latter.
 */
const ascii = Uint8Array.from({ length: 128 }, (_, code) => {
  if (isLetter(code)) return 20
  if (code === 0x20) return 20
  if (code >= 0x30 && code <= 0x39) return 40
  return 65
})

/** Accents; Greek; Cyrillic; Hebrew and Arabic; India and its neighbours; signs; kana; Chinese and Korean; emoji. */
function foreign(code: number): number {
  if (code < 0x370) return 100
  if (code < 0x400) return 85
  if (code < 0x530) return 58
  if (code < 0x900) return 80
  if (code < 0x2000) return 115
  if (code < 0x3000) return 90
  if (code < 0x3100) return 100
  if (code < 0xd800) return 110
  return 140
}

/** An image, sound or file takes hundreds to thousands of tokens; its content is not looked at. */
const estimated: TokenMeasure = { tokensIn, mediaTokens: 1000 }

function isLetter(code: number): boolean {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}
