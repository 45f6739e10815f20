import { isObject, type JsonObject } from '../model/json/json.ts'

/** How much of a text was sent, and its last part. */
export type SentText = { length: number; last: string }

export function nothingSent(): SentText {
  return { length: 0, last: '' }
}

export function addSentText(sent: SentText, words: unknown): void {
  if (typeof words !== 'string' || words === '') return
  sent.length += words.length
  sent.last = words
}

type Sent = { readonly isBegun: boolean; readonly content: SentText; readonly reasoning: SentText }

/**
 * The new part of a cumulative message (Perplexity), beside a delta or in its place, as a delta: nothing if it does not
 * continue what was sent.
 */
export function newInMessage(message: JsonObject, { isBegun, content, reasoning }: Sent): JsonObject {
  if (!isBegun) return message
  const fresh: JsonObject = {}
  const words = newText(message['content'], content)
  const thoughts = newText(message['reasoning_content'], reasoning)
  if (words !== '') fresh['content'] = words
  if (thoughts !== '') fresh['reasoning_content'] = thoughts
  return fresh
}

/** True if the delta has content, so that the message beside it adds nothing. */
export function hasContent(delta: unknown): boolean {
  if (!isObject(delta)) return false
  return Object.entries(delta).some(([key, value]) => {
    if (key === 'role' || value === undefined || value === null || value === '') return false
    return !Array.isArray(value) || value.length > 0
  })
}

function newText(whole: unknown, { length, last }: SentText): string {
  if (typeof whole !== 'string' || whole.length <= length) return ''
  return whole.slice(0, length).endsWith(last) ? whole.slice(length) : ''
}
