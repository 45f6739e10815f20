import type { Choice, Delta } from '../model/call.ts'
import { isObject } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'

/** The prefill: a chat's final assistant message; undefined if it does not end in one. */
export function prefixIn(messages: unknown): string | undefined {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  if (!isObject(last) || last['role'] !== 'assistant') return undefined
  const { content, tool_calls: calls } = last
  const isCall = Array.isArray(calls) && calls.length > 0
  return typeof content === 'string' && content !== '' && !isCall ? content : undefined
}

/**
 * Removes the prefill from each choice of an answer if the upstream repeats it; other beginnings stay. One per answer.
 */
export function createPrefixCut(prefix: string): (delta: Delta) => Delta {
  const left = new Map<number, string>()
  return (delta) => {
    const choices = delta.value.choices.map((choice) => {
      const words = (choice.delta ?? choice.message)?.content ?? ''
      const expected = left.get(choice.index) ?? prefix
      if (words === '' || expected === '') return choice
      const cut = cutOff(words, expected)
      left.set(choice.index, cut.left)
      return cut.text === words ? choice : withContent(choice, cut.text)
    })
    const isAsSent = choices.every((choice, at) => choice === delta.value.choices[at])
    return isAsSent ? delta : JsonText.of({ ...delta.value, choices })
  }
}

function cutOff(words: string, expected: string): { readonly text: string; readonly left: string } {
  if (words.startsWith(expected)) return { text: words.slice(expected.length), left: '' }
  if (expected.startsWith(words)) return { text: '', left: expected.slice(words.length) }
  return { text: words, left: '' }
}

function withContent(choice: Choice, content: string): Choice {
  if (choice.message !== undefined) return { ...choice, message: { ...choice.message, content } }
  return { ...choice, delta: { ...choice.delta, content } }
}
