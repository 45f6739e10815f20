import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'

/**
 * Writes events in the most difficult valid form: a comment before each, lines that end in CRLF, and no blank line
 * after the last.
 */
export function raggedText(events: string, isLast: boolean): string {
  const text = events
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => `: keep-alive\r\n\r\n${event}\r\n\r\n`)
    .join('')
  return isLast ? text.slice(0, -2) : text
}

/** Sends every byte separately; the last one together with the end. */
export async function sendInBytes(
  response: ServerResponse,
  text: string,
  signal: AbortSignal,
  isLast: boolean,
): Promise<void> {
  const bytes = Buffer.from(text)
  const end = isLast ? bytes.length - 1 : bytes.length
  for (let at = 0; at < end; at++) {
    response.write(bytes.subarray(at, at + 1))
    await setImmediate()
    signal.throwIfAborted()
  }
  if (isLast) response.end(bytes.subarray(Math.max(0, end)))
}
