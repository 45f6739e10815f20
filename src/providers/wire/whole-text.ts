import type { WireAnswer } from './wire-answer.ts'

/** Reads the whole text of an answer: at once if it is there. Throws, or rejects, as `text` does. */
export function readWhole<Read>(
  answer: Pick<WireAnswer, 'text'>,
  limitBytes: number,
  read: (text: string) => Read,
): Read | Promise<Read> {
  const text = answer.text(limitBytes)
  return text instanceof Promise ? text.then(read) : read(text)
}
