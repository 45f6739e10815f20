import { isObject, type JsonObject } from '../model/json/json.ts'

/** How much of a text has been told, and what came last. */
export type ToldWords = { length: number; last: string }

export function noWords(): ToldWords {
  return { length: 0, last: '' }
}

export function addWords(told: ToldWords, words: unknown): void {
  if (typeof words !== 'string' || words === '') return
  told.length += words.length
  told.last = words
}

type Told = { readonly isBegun: boolean; readonly content: ToldWords; readonly reasoning: ToldWords }

/**
 * What is new in a message that holds all of an answer so far, beside a delta or in its place (Perplexity), as a delta:
 * nothing, where it does not go on from what was told.
 */
export function newInMessage(message: JsonObject, { isBegun, content, reasoning }: Told): JsonObject {
  if (!isBegun) return message
  const fresh: JsonObject = {}
  const words = newWords(message['content'], content)
  const thoughts = newWords(message['reasoning_content'], reasoning)
  if (words !== '') fresh['content'] = words
  if (thoughts !== '') fresh['reasoning_content'] = thoughts
  return fresh
}

/** True where a delta says something, so that a message beside it has nothing to add. */
export function saysSomething(delta: unknown): boolean {
  if (!isObject(delta)) return false
  return Object.entries(delta).some(([key, value]) => {
    if (key === 'role' || value === undefined || value === null || value === '') return false
    return !Array.isArray(value) || value.length > 0
  })
}

function newWords(whole: unknown, { length, last }: ToldWords): string {
  if (typeof whole !== 'string' || whole.length <= length) return ''
  return whole.slice(0, length).endsWith(last) ? whole.slice(length) : ''
}
