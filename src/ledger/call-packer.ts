import type { CallEntry } from '../core/model/journal.ts'
import { FrameBuffer, type PackedCalls } from './journal/frame-buffer.ts'

/**
 * Packs finished calls as the journal writes them, for a process that has no journal and sends them to one that has.
 */
export interface CallPacker {
  add(call: CallEntry): void
  readonly count: number
  /** All of them; none is left. */
  take(): PackedCalls
}

export function createCallPacker(): CallPacker {
  const buffer = new FrameBuffer()
  let count = 0
  return {
    add(call) {
      buffer.addCall(call)
      count++
    },
    get count() {
      return count
    },
    take() {
      const packed = { frames: Buffer.from(buffer.bytes.subarray(0, buffer.length)), count }
      buffer.clear()
      count = 0
      return packed
    },
  }
}
