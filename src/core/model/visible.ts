import type { Choice, Delta } from './call.ts'
import { isObject } from './json/json.ts'

/** True if the caller would notice this delta: text, reasoning, a refusal, a tool call or an end. */
export function isVisible(delta: Delta): boolean {
  return delta.value.choices.some(isVisibleChoice)
}

function isVisibleChoice(choice: Choice): boolean {
  if (choice.finish_reason !== null || choice.text) return true
  const message = choice.delta ?? choice.message
  if (message === undefined) return false
  return (
    Boolean(message.content) ||
    Boolean(message.reasoning_content) ||
    Boolean(message['refusal']) ||
    message.tool_calls !== undefined ||
    isObject(message['function_call'])
  )
}
