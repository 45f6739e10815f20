import { Writable } from 'node:stream'
import type { Logger } from 'pino'
import { createLog } from '../../src/telemetry/log.ts'

/** A log, and what was written to it, line by line. */
export function logLines(): { readonly log: Logger; lines(): readonly object[] } {
  const lines: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  return { log: createLog('info', destination), lines: () => lines.map((line) => JSON.parse(line)) }
}

/** pino's numbers for its levels. */
export const levels = { info: 30, warn: 40 } as const
