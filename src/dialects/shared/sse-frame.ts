/**
 * One server-sent event with one line of JSON. It has no `id:`, `event:` or `retry:`, because each of them breaks some
 * clients.
 */
export function frame(json: string): string {
  return `data: ${json}\n\n`
}

/** The last frame of a complete stream. A failed stream does not have it. */
export const doneFrame = frame('[DONE]')
