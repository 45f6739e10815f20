import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Kind } from '../../../src/core/model/terms.ts'

/** What every sound upstream of the suite says: no word twice, so that one that is lost or repeated is seen. */
export const answerWords = [
  'Alder7f3a',
  ' birch',
  ' cedar',
  ' dogwood',
  ' elm',
  ' fir',
  ' ginkgo',
  ' hazel',
  ' ironwood',
  ' juniper',
] as const

export const answerText = answerWords.join('')

/** Nothing that is said may be logged: this word of it is looked for. */
export const answerCanary = answerWords[0]

/**
 * How many words a request has already: those its prompt ends with, whether as text, as the beginning of the
 * assistant's turn, or in a template that has both.
 */
export function wordsSaid(body: JsonObject): number {
  const text = promptText(body)
  for (let count = answerWords.length; count > 0; count--) {
    if (text.endsWith(answerWords.slice(0, count).join(''))) return count
  }
  return 0
}

/** As every upstream of the suite counts a prompt: by its characters alone. */
export function promptTokens(body: JsonObject): number {
  return Math.ceil(promptText(body).length / 4)
}

/** One chunk of a stream. Without a word it has neither text nor content. */
export function chunkText(kind: Kind, model: string, choice: JsonObject, extra: JsonObject = {}): string {
  const object = kind === 'text' ? 'text_completion' : 'chat.completion.chunk'
  const whole = { index: 0, finish_reason: null, ...choice }
  return JSON.stringify({ id: 'up-1', object, created: 1700000000, model, choices: [whole], ...extra })
}

export function wordChoice(kind: Kind, word: string): JsonObject {
  return kind === 'text' ? { text: word } : { delta: { content: word } }
}

export function endChoice(kind: Kind): JsonObject {
  return kind === 'text' ? { text: '', finish_reason: 'stop' } : { delta: {}, finish_reason: 'stop' }
}

/** A whole reply. */
export function replyText(kind: Kind, model: string, text: string, extra: JsonObject = {}): string {
  const object = kind === 'text' ? 'text_completion' : 'chat.completion'
  const said = kind === 'text' ? { text } : { message: { role: 'assistant', content: text } }
  const choices = [{ index: 0, ...said, finish_reason: 'stop' }]
  return JSON.stringify({ id: 'up-1', object, created: 1700000000, model, choices, ...extra })
}

export function usageOf(prompt: number, completion: number): JsonObject {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

function promptText({ prompt, messages }: JsonObject): string {
  if (typeof prompt === 'string') return prompt
  if (!Array.isArray(messages)) return ''
  return messages.map((message: { content?: unknown }) => String(message.content ?? '')).join('\n')
}
