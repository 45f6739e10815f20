/**
 * One server-sent event of one line of JSON. No `id:`, `event:` or `retry:`: some clients stumble over each.
 */
export function frame(json: string): string {
  return `data: ${json}\n\n`
}

/** The last frame of a stream that ended well; a broken one has none. */
export const doneFrame = frame('[DONE]')
