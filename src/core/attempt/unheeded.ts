import type { Call, Choice, Delta } from '../model/call.ts'

/**
 * What was asked for and is not in the answer, though its words are: some servers take no notice of a field they do not
 * know. Undefined where nothing is missing, and where there are no words yet to tell by.
 */
export function unheededIn(call: Call, deltas: readonly Delta[]): string | undefined {
  const { logprobs } = call.body.value
  if (logprobs !== true && typeof logprobs !== 'number') return undefined
  const spoken = deltas.flatMap(({ value }) => value.choices).filter(hasWords)
  const isHeeded = spoken.length === 0 || spoken.some((choice) => (choice.logprobs ?? null) !== null)
  return isHeeded ? undefined : 'logprobs'
}

function hasWords({ text, delta, message }: Choice): boolean {
  return Boolean(text) || Boolean((delta ?? message)?.content)
}
