import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { parseAnswer } from '../wire/wire-answer.ts'

/** A chunk of a stream: a parsed object, or a chunk that matched the template. */
export type ParsedChunk = JsonObject | TemplateDelta

/**
 * A chunk that differs from the previous one only in one piece of text. Most chunks are forwarded as text, so the
 * object is built only when it is read.
 */
export class TemplateDelta extends JsonText {
  readonly isAlike = true
  readonly word: string
  readonly #template: ChunkTemplate

  constructor(text: string, word: string, template: ChunkTemplate) {
    super(undefined, text)
    this.word = word
    this.#template = template
  }

  protected override build(): JsonObject {
    return withWord(this.#template, this.word)
  }
}

/**
 * Parses the chunks of one stream; undefined for anything but a JSON object. Nearly every chunk of a stream equals the
 * previous one except for one word. Such a chunk is recognised by its text and not parsed.
 */
export function createChunkParser(): (data: string) => ParsedChunk | undefined {
  let template: ChunkTemplate | undefined
  /** Chunks in a row that did not match. After `mostMisses` of them, matching stops. */
  let misses = 0
  return (data) => {
    const word = template === undefined ? undefined : wordIn(data, template)
    if (template !== undefined && word !== undefined) {
      misses = 0
      return new TemplateDelta(data, word, template)
    }
    const chunk = parseAnswer(data)
    if (!isObject(chunk)) return undefined
    misses++
    template = misses > mostMisses ? undefined : templateOf(data, chunk)
    return chunk
  }
}

const mostMisses = 8

/** The text around a chunk's word, and copies of the chunk's objects. */
type ChunkTemplate = {
  readonly before: string
  readonly after: string
  readonly chunk: JsonObject
  readonly choice: JsonObject
  /** The choice's `delta`; undefined for text completions. */
  readonly delta: JsonObject | undefined
}

/** The word, if the data is this template with another word. */
function wordIn(data: string, { before, after }: ChunkTemplate): string | undefined {
  const end = data.length - after.length
  if (end < before.length) return undefined
  // Not `startsWith` and `endsWith`, which compare character by character and take ten times as long.
  if (data.slice(0, before.length) !== before || data.slice(end) !== after) return undefined
  return unescaped(data.slice(before.length, end))
}

/** The value of the text between the quotes of a JSON string; undefined if it is not the inside of one string. */
function unescaped(written: string): string | undefined {
  if (isPlain.test(written)) return written
  return isEscaped.test(written) ? (JSON.parse(`"${written}"`) as string) : undefined
}

/** Characters of a JSON string that need no escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
const isPlain = /^[^"\\\u0000-\u001f]+$/

/** The same, with complete escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
const isEscaped = /^(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))+$/

function withWord({ chunk, choice, delta }: ChunkTemplate, word: string): JsonObject {
  const choiceOfWord =
    delta === undefined ? { ...choice, text: word } : { ...choice, delta: { ...delta, content: word } }
  return { ...chunk, choices: [choiceOfWord] }
}

/** The template of a chunk with one word in one unfinished choice; undefined if it has other nested objects. */
function templateOf(data: string, chunk: JsonObject): ChunkTemplate | undefined {
  const { choices, ...rest } = chunk
  const choice: unknown = Array.isArray(choices) && choices.length === 1 ? choices[0] : undefined
  if (!isObject(choice) || !Object.values(rest).every(isScalar)) return undefined
  const { delta, ...beside } = choice
  if (choice['finish_reason'] || !Object.values(beside).every(isScalar)) return undefined
  const isChat = isObject(delta)
  if (isChat && !Object.values(delta).every(isScalar)) return undefined
  const word = isChat ? delta['content'] : choice['text']
  if (typeof word !== 'string' || word === '') return undefined
  const around = split(data, isChat ? '"content":' : '"text":', word)
  if (around === undefined) return undefined
  return { ...around, chunk: { ...chunk }, choice: { ...choice }, delta: isChat ? { ...delta } : undefined }
}

function split(data: string, key: string, word: string): Pick<ChunkTemplate, 'before' | 'after'> | undefined {
  const at = data.indexOf(key)
  if (at === -1 || data.indexOf(key, at + 1) !== -1) return undefined
  const start = data.indexOf('"', at + key.length) + 1
  const written = /^(?:[^"\\]|\\.)*/.exec(data.slice(start))?.[0] ?? ''
  if (unescaped(written) !== word) return undefined
  return { before: data.slice(0, start), after: data.slice(start + written.length) }
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}
