import type { AttemptNotes, Detokenizer } from '../model/ports.ts'

/** Whether a prompt or an input is token ids: one list, or several. */
export function holdsTokenIds(given: unknown): given is readonly unknown[] {
  return Array.isArray(given) && given.some((each) => typeof each === 'number' || Array.isArray(each))
}

/**
 * Decodes token ids to text, and notes it: one list gives one text, several lists as many; anything else is unchanged.
 */
export async function inWords(
  given: readonly unknown[],
  detokenizer: Detokenizer,
  { converted }: Pick<AttemptNotes, 'converted'>,
): Promise<string | readonly unknown[]> {
  converted.push('token ids to text (cl100k_base)')
  if (isTokenIds(given)) return await detokenizer.decode(given)
  return await Promise.all(given.map((each) => (isTokenIds(each) ? detokenizer.decode(each) : each)))
}

function isTokenIds(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}
