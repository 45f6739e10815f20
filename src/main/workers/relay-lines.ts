import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { LogOutput } from '../../telemetry/output.ts'

/** Writes on what a worker logs, in whole lines: those of several never get into one another. */
export function relayLines(from: Readable | null, { write }: Pick<LogOutput, 'write'>): void {
  const decoder = new StringDecoder('utf8')
  let begun = ''
  from?.on('data', (chunk: Buffer) => {
    const text = begun + decoder.write(chunk)
    const end = text.lastIndexOf('\n') + 1
    begun = text.slice(end)
    if (end > 0) write(text.slice(0, end))
  })
  // A worker that was killed may have ended in the middle of a line.
  from?.on('end', () => {
    if (begun !== '') write(`${begun}\n`)
  })
}
