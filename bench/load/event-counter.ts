/**
 * Counts the server-sent events of one stream by their blank lines, however the bytes are split, and remembers
 * whether the last of them was OpenAI's terminator.
 */
export function createEventCounter(): EventCounter {
  let events = 0
  let endsInNewline = false
  let tail: Buffer = Buffer.alloc(0)

  return {
    read(bytes) {
      if (endsInNewline && bytes[0] === newline) events += 1
      for (let at = bytes.indexOf('\n\n'); at !== -1; at = bytes.indexOf('\n\n', at + 2)) events += 1
      endsInNewline = bytes.at(-1) === newline && !bytes.subarray(-2).equals(blankLine)
      tail = bytes.length >= terminator.length ? bytes : Buffer.concat([tail, bytes])
      tail = tail.subarray(-terminator.length)
    },
    events: () => events,
    terminated: () => tail.equals(terminator),
  }
}

/** The terminator counts as an event. */
export interface EventCounter {
  read(bytes: Buffer): void
  events(): number
  terminated(): boolean
}

const newline = 0x0a
const blankLine = Buffer.from('\n\n')
const terminator = Buffer.from('data: [DONE]\n\n')
