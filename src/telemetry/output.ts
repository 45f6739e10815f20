import { write } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { EncodedLine } from '../core/model/record/line-writer.ts'
import { withRoom } from '../core/model/with-room.ts'

/** The destination of log lines: written in order, in batches. */
export interface LogOutput extends AsyncDisposable {
  write(line: string): void
  /** Whole lines, as bytes: they are copied. */
  writeBytes(lines: Buffer): void
  /** One line of three parts; those before and after the encoded one are ASCII. */
  writeMembers(head: string, members: EncodedLine, tail: string): void
}

export type OutputSettings = {
  /** A file descriptor. */
  readonly descriptor: number
  /** How many bytes are gathered before a write; 0 writes each line at once. */
  readonly batchBytes: number
  /** How long a line waits for others. */
  readonly waitMs: number
}

/**
 * Gathers lines and writes them off the event loop, one batch at a time. pino's own destination does the same at about
 * twice the cost per line. A reader that falls behind by more than `mostWaitingBytes` loses waiting lines; the
 * gateway's memory stays bounded. Disposing writes the rest.
 */
export function createOutput({ descriptor, batchBytes, waitMs }: OutputSettings): LogOutput {
  /** Encoded at once: as strings, the lines of a batch would have to be joined first. */
  let waiting: Buffer = Buffer.allocUnsafeSlow(usualBytes)
  let waitingBytes = 0
  /** A written buffer, to be reused. */
  let spare: Buffer | undefined
  let writing: Promise<void> | undefined
  const flush = () => {
    if (writing !== undefined || waitingBytes === 0) return
    const batch = waiting
    const bytes = waitingBytes
    waiting = spare ?? Buffer.allocUnsafeSlow(usualBytes)
    waitingBytes = 0
    spare = undefined
    writing = writeWhole(descriptor, batch.subarray(0, bytes)).then(() => {
      writing = undefined
      if (batch.length === usualBytes) spare = batch
      if (waitingBytes > batchBytes) flush()
    })
  }
  const makeRoom = (bytes: number) => {
    if (waitingBytes > mostWaitingBytes) waitingBytes = 0
    waiting = withRoom(waiting, waitingBytes, bytes)
  }
  const added = (bytes: number) => {
    waitingBytes += bytes
    if (waitingBytes > batchBytes) flush()
  }
  const timer = setInterval(flush, waitMs)
  timer.unref()
  return {
    write(line) {
      // The longest encoding of a character has three bytes.
      makeRoom(line.length * 3)
      added(waiting.write(line, waitingBytes, 'utf8'))
    },
    writeBytes(lines) {
      makeRoom(lines.length)
      added(lines.copy(waiting, waitingBytes))
    },
    writeMembers(head, { bytes, length }, tail) {
      makeRoom(head.length + length + tail.length)
      let end = waitingBytes + waiting.write(head, waitingBytes, 'latin1')
      end += bytes.copy(waiting, end, 0, length)
      end += waiting.write(tail, end, 'latin1')
      added(end - waitingBytes)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      while (writing !== undefined || waitingBytes > 0) {
        flush()
        await writing
      }
    },
  }
}

/** More than a batch: while one is written, the next is gathered. */
const usualBytes = 128 * 1024

const mostWaitingBytes = 16 * 1024 * 1024

/** A pipe may take less than it is given, or nothing for the moment. Any other error is final. */
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
