import type { CallEntry } from '../../core/model/journal.ts'
import { type EncodedLine, LineWriter } from '../../core/model/record/line-writer.ts'
import { withRoom } from '../../core/model/with-room.ts'
import { closeFrame, frameOverhead, readFrames, textStart, writeFrame } from './frame.ts'
import { type MoneyEntry, writeMoneyLine } from './money-line.ts'

/** Finished calls as frames. */
export type PackedCalls = { readonly frames: Uint8Array; readonly count: number }

/** The beginning of the journal line of a finished call; no other line begins like this. */
export const callBeginning = '{"type":"call",'

/** Frames that wait to be written, stored contiguously. */
export class FrameBuffer {
  #room: Buffer = Buffer.allocUnsafeSlow(usualBytes)
  #length = 0
  readonly #line = new LineWriter()

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
    const beginning = this.#line
    beginning.clear()
    beginning.put(callAt)
    beginning.number(at)
    beginning.put(comma)
    this.#makeRoom(beginning.length + line.length + 1 + frameOverhead)
    let end = this.#put(beginning, textStart(this.#length))
    end = this.#put(line, end)
    this.#room[end++] = closingBrace
    this.#length = closeFrame(this.#room, this.#length, end)
  }

  addMoney(entry: MoneyEntry): void {
    const line = this.#line
    line.clear()
    writeMoneyLine(entry, line)
    this.#makeRoom(line.length + frameOverhead)
    this.#length = closeFrame(this.#room, this.#length, this.#put(line, textStart(this.#length)))
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

  #put({ bytes, length }: EncodedLine, at: number): number {
    return at + bytes.copy(this.#room, at, 0, length)
  }

  #makeRoom(bytes: number): void {
    this.#room = withRoom(this.#room, this.#length, bytes)
  }
}

const callAt = Buffer.from(`${callBeginning}"at":`)
const comma = Buffer.from(',')
const closingBrace = 0x7d

/** More than the lines of one turn usually take, in bytes. */
const usualBytes = 256 * 1024
