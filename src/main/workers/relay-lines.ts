import type { Readable } from 'node:stream'
import type { LogOutput } from '../../telemetry/output.ts'

/** Forwards the log of a worker in whole lines, so that lines of several workers do not mix. */
export function relayLines(from: Readable | null, { writeBytes }: Pick<LogOutput, 'writeBytes'>): void {
  let begun: Buffer | undefined
  from?.on('data', (chunk: Buffer) => {
    const bytes = begun === undefined ? chunk : Buffer.concat([begun, chunk])
    const end = bytes.lastIndexOf(lineEnd) + 1
    begun = end === bytes.length ? undefined : bytes.subarray(end)
    if (end > 0) writeBytes(bytes.subarray(0, end))
  })
  // A killed worker may have ended in the middle of a line.
  from?.on('end', () => {
    if (begun !== undefined) writeBytes(Buffer.concat([begun, Buffer.of(lineEnd)]))
  })
}

const lineEnd = 0x0a
