import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { parseAnswer } from '../wire/wire-answer.ts'

/** A chunk of a stream: parsed into its own object, or recognised by its text. */
export type ParsedChunk = JsonObject | TemplateDelta

/**
 * A chunk that differs from the one before only in one piece of text. Most are forwarded in their original text: the
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
    return filled(this.#template, this.word)
  }
}

/**
 * Parses the chunks of one stream; undefined for anything but a JSON object. In a stream nearly every chunk is the one
 * before with another word: such a chunk is recognised by its text, and not parsed.
 */
export function createChunkParser(): (data: string) => ParsedChunk | undefined {
  let template: ChunkTemplate | undefined
  /** Gives up on streams whose chunks never match. */
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

/** The text around a chunk's word, and the chunk itself, which nothing else references. */
type ChunkTemplate = {
  readonly before: string
  readonly after: string
  readonly chunk: JsonObject
  readonly choice: JsonObject
  /** The object with the word, beside or inside the choice. */
  readonly delta: JsonObject | undefined
}

/** The word, if the data is this template around a word without escapes. */
function wordIn(data: string, { before, after }: ChunkTemplate): string | undefined {
  const end = data.length - after.length
  if (end < before.length) return undefined
  // Not `startsWith` and `endsWith`, which compare character by character and take ten times as long.
  if (data.slice(0, before.length) !== before || data.slice(end) !== after) return undefined
  return spelled(data.slice(before.length, end))
}

/** The word between the quotes of a JSON string; undefined if it could end the string. */
function spelled(written: string): string | undefined {
  if (isPlain.test(written)) return written
  return isEscaped.test(written) ? (JSON.parse(`"${written}"`) as string) : undefined
}

/** Characters of a JSON string that need no escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
const isPlain = /^[^"\\\u0000-\u001f]+$/

/** The same, plus complete escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string.
const isEscaped = /^(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))+$/

function filled({ chunk, choice, delta }: ChunkTemplate, word: string): JsonObject {
  const choiceOfWord =
    delta === undefined ? { ...choice, text: word } : { ...choice, delta: { ...delta, content: word } }
  return { ...chunk, choices: [choiceOfWord] }
}

/** For a chunk with one word in one unfinished choice, and nothing else that a copy could share. */
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
  if (spelled(written) !== word) return undefined
  return { before: data.slice(0, start), after: data.slice(start + written.length) }
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}
