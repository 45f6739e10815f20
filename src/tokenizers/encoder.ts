import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TokenEncoder } from '../core/model/ports.ts'
import { type EncodingName, encodingOfModel } from './families.ts'

export type Encoder = TokenEncoder & {
  /**
   * Loads the vocabularies of these models, which blocks the event loop for some tenths of a second each: call it
   * before serving calls.
   */
  prepare(models: Iterable<string>): Promise<void>
}

/** Uses the vocabularies in the packages. A vocabulary that was not prepared is loaded at its first use. */
export function createEncoder(): Encoder {
  const loaded = new Map<EncodingName, Promise<Encode>>()
  const load = (name: EncodingName) => {
    const encode = loaded.get(name) ?? loaders[name]()
    loaded.set(name, encode)
    return encode
  }
  return {
    async prepare(models) {
      const names = new Set(Array.from(models, encodingOfModel).filter((name) => name !== undefined))
      for (const name of names) await load(name)
    },
    async encode(models, text) {
      const names = new Set(Array.from(models, encodingOfModel))
      const [name] = names
      if (name === undefined || names.size > 1 || text.length > mostLength) return undefined
      return await encodeSlices(text, await load(name))
    },
  }
}

type Encode = { readonly encode: (text: string) => readonly number[]; readonly forget: () => void }

/** In UTF-16 units: about 30 ms of prose. */
const mostLength = 256 * 1024

/** Characters of one class in a row: the package's merge is quadratic in these, a millisecond at this length. */
const longestRun = 1024

/** The length of a slice in UTF-16 units, and the number of slices between two turns of the event loop. */
const sliceLength = 1024
const slicesPerTurn = 8

/** Without this the package throws on text that contains a special token. */
const asText = { disallowedSpecial: new Set<string>() }

/** 40 to 80 MB resident each, once. */
const loaders: Readonly<Record<EncodingName, () => Promise<Encode>>> = {
  async cl100k_base() {
    const { encode, clearMergeCache } = await import('gpt-tokenizer/encoding/cl100k_base')
    return { encode: (text) => encode(text, asText), forget: clearMergeCache }
  },
  async o200k_base() {
    const { encode, clearMergeCache } = await import('gpt-tokenizer/encoding/o200k_base')
    return { encode: (text) => encode(text, asText), forget: clearMergeCache }
  },
  async llama3() {
    const { default: tokenizer } = await import('llama3-tokenizer-js')
    // Special tokens are plain text: nothing matches the last one.
    const asWritten = { bos: false, eos: false, specialTokenRegex: /(?!)/g }
    return { encode: (text) => tokenizer.encode(text, asWritten), forget: () => undefined }
  },
}

async function encodeSlices(
  text: string,
  { encode, forget }: Encode,
): Promise<readonly number[] | undefined> {
  const tokens: number[] = []
  let slices = 0
  let start = 0
  try {
    while (start < text.length) {
      if (slices > 0 && slices % slicesPerTurn === 0) await nextTurn()
      const end = endOfSlice(text, start)
      const slice = text.slice(start, end)
      if (hasLongRun(slice)) return undefined
      for (const token of encode(slice)) tokens.push(token)
      slices++
      start = end
    }
    return tokens
  } finally {
    // The package remembers words, each of which keeps the text it was cut from alive.
    forget()
  }
}

/**
 * Places where all vocabularies' patterns end a piece regardless of context: before a space and a letter, before a mark
 * between letters (except an apostrophe, which may belong to the word before), and between a line's end and a letter.
 */
const cut = /(?<=\S)(?= \p{L})|(?<=\p{L})(?=[^\s\p{L}\p{N}\p{M}'’]\p{L})|(?<=[\r\n])(?=\p{L})/gu

function endOfSlice(text: string, start: number): number {
  cut.lastIndex = start + sliceLength
  if (cut.lastIndex >= text.length) return text.length
  return cut.exec(text)?.index ?? text.length
}

function hasLongRun(text: string): boolean {
  for (const [run] of text.matchAll(/[\p{L}\p{M}]+|[^\s\p{L}\p{M}\p{N}]+|\s+/gu)) {
    if (run.length > longestRun) return true
  }
  return false
}
