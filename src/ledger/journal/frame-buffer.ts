import { frameOverhead, readFrames, writeFrame } from './frame.ts'

/** Finished calls as frames. */
export type PackedCalls = { readonly frames: Uint8Array; readonly count: number }

/** Frames that wait to be written, back to back. */
export class FrameBuffer {
  #room: Buffer = Buffer.allocUnsafeSlow(usualBytes)
  #length = 0

  get length(): number {
    return this.#length
  }

  get bytes(): Buffer {
    return this.#room
  }

  add(text: string): void {
    const most = text.length * 3 + frameOverhead
    if (this.#length + most > this.#room.length) this.#makeRoom(most)
    this.#length = writeFrame(this.#room, this.#length, text)
  }

  addFrames(frames: Uint8Array): void {
    if (this.#length + frames.length > this.#room.length) this.#makeRoom(frames.length)
    this.#room.set(frames, this.#length)
    this.#length += frames.length
  }

  clear(): void {
    this.#length = 0
    if (this.#room.length > usualBytes) this.#room = Buffer.allocUnsafeSlow(usualBytes)
  }

  /** Drops the frames that are not to be kept, and returns their number. */
  keep(isKept: (text: string) => boolean): number {
    const { frames } = readFrames(this.#room.subarray(0, this.#length), true)
    const kept = frames.filter(({ text }) => isKept(text))
    this.#length = 0
    for (const { text } of kept) this.add(text)
    return frames.length - kept.length
  }

  #makeRoom(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#room.length * 2, this.#length + bytes))
    this.#room.copy(larger, 0, 0, this.#length)
    this.#room = larger
  }
}

/** More than the lines of one turn take. */
const usualBytes = 256 * 1024
