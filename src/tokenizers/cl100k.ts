import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../core/model/failure.ts'
import type { Detokenizer, TokenCounter } from '../core/model/ports.ts'

/**
 * OpenAI's cl100k_base. Up to 64 KiB of text is counted whole, to within a token per 512 characters without spaces;
 * longer text is scaled up from a sample. Markers such as `<|endoftext|>` count as plain text. `decode` throws Failure
 * `invalid_request` for an id outside the vocabulary.
 */
export function createTokenizer(): Tokenizer {
  let encoding: ReturnType<typeof loadEncoding> | undefined
  let vocabulary: ReturnType<typeof loadVocabulary> | undefined

  return {
    async prepare() {
      encoding ??= loadEncoding()
      vocabulary ??= loadVocabulary()
      await Promise.all([encoding, vocabulary])
    },

    async count(text) {
      if (text === '') return 0
      encoding ??= loadEncoding()
      const { count, forget } = await encoding
      try {
        return await estimate(text, count)
      } finally {
        forget()
      }
    },

    async decode(tokens) {
      if (tokens.length === 0) return ''
      vocabulary ??= loadVocabulary()
      return decodeWith(await vocabulary, tokens)
    },
  }
}

export type Tokenizer = TokenCounter &
  Detokenizer & {
    /**
     * Loads the vocabulary, which blocks the event loop for some tenths of a second: call it before serving calls.
     * Otherwise the first use loads it.
     */
    prepare(): Promise<void>
  }

type Count = (text: string) => number

/** The text of each token id, or its bytes if they are not whole characters. */
type Vocabulary = (token: number | undefined) => string | readonly number[] | undefined

/** Text up to this many bytes is counted whole. */
const wholeBytes = 64 * 1024

/** In UTF-16 units, each: samples of the beginning, the middle and the end represent a longer text. */
const sampleLength = 8 * 1024

/**
 * In UTF-16 units. The package's merge is quadratic in a run without a boundary (64 Ki of one letter take two seconds),
 * so it never gets a longer text at once.
 */
const sliceLength = 512

/** Slices between two turns of the event loop: about 1 ms of English, 15 ms in the worst case. */
const slicesPerTurn = 8

/** About 80 ms and 43 MB resident, once. */
async function loadEncoding() {
  const { countTokens, clearMergeCache } = await import('gpt-tokenizer/encoding/cl100k_base')
  // Without this the package throws on text that contains a special token.
  const options = { disallowedSpecial: new Set<string>() }
  return {
    count: (text: string) => countTokens(text, options),
    // The package remembers up to 100,000 words, each of which keeps the prompt it was cut from alive.
    forget: clearMergeCache,
  }
}

/** About 40 ms and 22 MB resident, once; shared with the encoding. */
async function loadVocabulary(): Promise<Vocabulary> {
  const [{ default: ranks }, { Cl100KBase }] = await Promise.all([
    import('gpt-tokenizer/bpeRanks/cl100k_base'),
    import('gpt-tokenizer/encodingParams/cl100k_base'),
  ])
  const special = new Map<number, string>()
  for (const [text, token] of Cl100KBase(ranks).specialTokensEncoder ?? []) special.set(token, text)
  return (token) => {
    if (token === undefined || !Number.isInteger(token)) return undefined
    return ranks[token] ?? special.get(token)
  }
}

async function estimate(text: string, count: Count): Promise<number> {
  const bytes = Buffer.byteLength(text)
  if (bytes <= wholeBytes) return await countSlices(text, count)

  const middle = (text.length - sampleLength) >>> 1
  let sampledTokens = 0
  let sampledBytes = 0
  for (const start of [0, middle, text.length - sampleLength]) {
    const sample = text.slice(start, start + sampleLength)
    sampledTokens += await countSlices(sample, count)
    sampledBytes += Buffer.byteLength(sample)
  }
  return Math.round((sampledTokens * bytes) / sampledBytes)
}

async function countSlices(text: string, count: Count): Promise<number> {
  let tokens = 0
  let slices = 0
  let start = 0
  while (start < text.length) {
    if (slices > 0 && slices % slicesPerTurn === 0) await nextTurn()
    const end = endOfSlice(text, start)
    tokens += count(text.slice(start, end))
    slices++
    start = end
  }
  return tokens
}

/** Before a space, if there is one: only a token of a run of whitespace can span it. */
function endOfSlice(text: string, start: number): number {
  const limit = start + sliceLength
  if (limit >= text.length) return text.length
  const space = text.slice(start, limit + 1).lastIndexOf(' ')
  if (space > 0) return start + space
  return isLowSurrogate(text.charCodeAt(limit)) ? limit - 1 : limit
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

/**
 * The package's own decode is quadratic in bytes that are not characters, and carries an unfinished character into the
 * next call's text.
 */
function decodeWith(vocabulary: Vocabulary, tokens: readonly number[]): string {
  let text = ''
  let bytes: number[] = []
  for (let at = 0; at < tokens.length; at++) {
    const piece = vocabulary(tokens[at])
    if (piece === undefined) throw unknownToken(at)
    if (typeof piece !== 'string') {
      for (const byte of piece) bytes.push(byte)
      continue
    }
    if (bytes.length > 0) {
      text += Buffer.from(bytes).toString()
      bytes = []
    }
    text += piece
  }
  return text + Buffer.from(bytes).toString()
}

function unknownToken(at: number): Failure {
  const message = `Token ${at} of the prompt (counted from 0) is not in the vocabulary of cl100k_base.`
  return new Failure('invalid_request', message, { param: 'prompt' })
}
