import type { Call, Choice, Delta } from '../model/call.ts'

/**
 * A requested field that is missing in an answer with text: some servers ignore fields they do not know. Undefined if
 * none is missing, or if there is no text yet to judge by.
 */
export function ignoredFieldIn(call: Call, deltas: readonly Delta[]): string | undefined {
  const { logprobs } = call.body.value
  if (logprobs !== true && typeof logprobs !== 'number') return undefined
  const spoken = deltas.flatMap(({ value }) => value.choices).filter(hasWords)
  const isHeeded = spoken.length === 0 || spoken.some((choice) => (choice.logprobs ?? null) !== null)
  return isHeeded ? undefined : 'logprobs'
}

function hasWords({ text, delta, message }: Choice): boolean {
  return Boolean(text) || Boolean((delta ?? message)?.content)
}
