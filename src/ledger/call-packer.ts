import type { CallEntry } from '../core/model/journal.ts'
import { FrameBuffer, type PackedCalls } from './journal/frame-buffer.ts'

/**
 * Packs finished calls in the format of the journal, for a process without a journal that sends them to one with a
 * journal.
 */
export interface CallPacker {
  add(call: CallEntry): void
  readonly count: number
  /** Returns all packed calls, and removes them. */
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
