import type { CallEntry } from '../../core/model/journal.ts'
import { withRoom } from '../../core/model/with-room.ts'
import { closeFrame, frameOverhead, readFrames, textStart, writeFrame } from './frame.ts'

/** Finished calls as frames. */
export type PackedCalls = { readonly frames: Uint8Array; readonly count: number }

/** The beginning of the journal line of a finished call; no other line begins like this. */
export const callBeginning = '{"type":"call",'

/** Frames that wait to be written, stored contiguously. */
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
    this.#makeRoom(text.length * 3 + frameOverhead)
    this.#length = writeFrame(this.#room, this.#length, text)
  }

  /** The line of a finished call. */
  addCall({ at, line }: CallEntry): void {
    const beginning = `${callBeginning}"at":${at},`
    this.#makeRoom(beginning.length + line.length + 1 + frameOverhead)
    let end = textStart(this.#length)
    end += this.#room.write(beginning, end, 'latin1')
    end += line.bytes.copy(this.#room, end, 0, line.length)
    this.#room[end++] = closingBrace
    this.#length = closeFrame(this.#room, this.#length, end)
  }

  addFrames(frames: Uint8Array): void {
    this.#makeRoom(frames.length)
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
    this.#room = withRoom(this.#room, this.#length, bytes)
  }
}

const closingBrace = 0x7d

/** More than the lines of one turn usually take, in bytes. */
const usualBytes = 256 * 1024
