/**
 * One server-sent event with one line of JSON. Without `id:`, `event:` and `retry:`, each of which breaks some client.
 */
export function frame(json: string): string {
  return `data: ${json}\n\n`
}

/** The last frame of a complete stream; a broken one has none. */
export const doneFrame = frame('[DONE]')
