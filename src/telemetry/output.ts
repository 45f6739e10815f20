import { write } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** Where log lines go: written in the order they came, in batches. */
export interface LogOutput extends AsyncDisposable {
  write(line: string): void
}

export type OutputSettings = {
  /** A file descriptor. */
  readonly descriptor: number
  /** How much is gathered before it is written; 0 writes each line as it comes. */
  readonly batchCharacters: number
  /** How long a line waits for others. */
  readonly waitMs: number
}

/**
 * Gathers lines and writes them off the event loop, one batch at a time. pino's own destination does the same at
 * about twice the cost of a line. A reader that falls behind by more than
 * `mostWaitingCharacters` loses the lines that wait, not the gateway its memory. Disposing writes what is left.
 */
export function createOutput({ descriptor, batchCharacters, waitMs }: OutputSettings): LogOutput {
  let lines: string[] = []
  let waitingCharacters = 0
  let writing: Promise<void> | undefined
  const flush = () => {
    if (writing !== undefined || lines.length === 0) return
    const batch = Buffer.from(lines.join(''))
    lines = []
    waitingCharacters = 0
    writing = writeWhole(descriptor, batch).then(() => {
      writing = undefined
      if (waitingCharacters > batchCharacters) flush()
    })
  }
  const timer = setInterval(flush, waitMs)
  timer.unref()
  return {
    write(line) {
      if (waitingCharacters > mostWaitingCharacters) {
        lines = []
        waitingCharacters = 0
      }
      lines.push(line)
      waitingCharacters += line.length
      if (waitingCharacters > batchCharacters) flush()
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      while (writing !== undefined || lines.length > 0) {
        flush()
        await writing
      }
    },
  }
}

const mostWaitingCharacters = 16 * 1024 * 1024

/** A pipe may take less than it is given, or nothing for the moment. Whatever else goes wrong with it is final. */
async function writeWhole(descriptor: number, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const taken = await writeSome(descriptor, rest)
    if (taken === 'closed') return
    if (taken === 'busy') await setTimeout(retryMs)
    else rest = rest.subarray(taken)
  }
}

const retryMs = 10

function writeSome(descriptor: number, bytes: Buffer): Promise<number | 'busy' | 'closed'> {
  return new Promise((resolve) => {
    write(descriptor, bytes, (error, written) => {
      if (error === null) resolve(written)
      else resolve(error.code === 'EAGAIN' ? 'busy' : 'closed')
    })
  })
}
