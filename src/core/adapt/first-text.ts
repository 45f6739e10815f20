import type { Choice, Delta } from '../model/call.ts'
import { JsonText } from '../model/json/json-text.ts'

/** Rewrites the first text of each choice of an answer, which may be empty. One per answer. */
export function createOpening(rewrite: (text: string, index: number) => string): (delta: Delta) => Delta {
  const begun = new Set<number>()
  return (delta) => {
    const choices = delta.value.choices.map((choice) => {
      if (begun.has(choice.index) || !hasWords(choice)) return choice
      begun.add(choice.index)
      return withText(choice, rewrite(textOf(choice), choice.index))
    })
    const isAsSent = choices.every((choice, at) => choice === delta.value.choices[at])
    return isAsSent ? delta : JsonText.of({ ...delta.value, choices })
  }
}

/** A text has text from its first chunk on, a chat from its first content. */
function hasWords(choice: Choice): boolean {
  return choice.text !== undefined || textOf(choice) !== ''
}

function textOf({ text, delta, message }: Choice): string {
  return text ?? (delta ?? message)?.content ?? ''
}

function withText(choice: Choice, text: string): Choice {
  if (text === textOf(choice)) return choice
  if (choice.text !== undefined) return { ...choice, text }
  if (choice.message !== undefined) return { ...choice, message: { ...choice.message, content: text } }
  return { ...choice, delta: { ...choice.delta, content: text } }
}
