import { type FileHandle, open } from 'node:fs/promises'
import { readFrames } from '../journal/frame.ts'
import { listSegments, type Position, segmentPath } from '../journal/segments.ts'
import type { Line } from '../store/batch.ts'

/** Reads a growing journal from a position on. */
export interface Tail extends AsyncDisposable {
  /** The position of the next line. */
  readonly position: Position
  /** Bytes that were not lines, and missing segments. */
  readonly damage: { readonly bytes: number; readonly segments: number }
  /** The next lines, up to about a megabyte; empty when everything was read. */
  next(): Promise<readonly Line[]>
}

/** Undefined: from the first existing segment. */
export function openTail(directory: string, from: Position | undefined): Tail {
  return new SegmentTail(directory, from)
}

class SegmentTail implements Tail {
  readonly #directory: string
  #position: Position
  #file: FileHandle | undefined
  #damagedBytes = 0
  #missingSegments = 0
  #isFirst: boolean

  constructor(directory: string, from: Position | undefined) {
    this.#directory = directory
    this.#isFirst = from === undefined
    this.#position = from ?? { segment: 0, offset: 0 }
  }

  get position(): Position {
    return this.#position
  }

  get damage(): Tail['damage'] {
    return { bytes: this.#damagedBytes, segments: this.#missingSegments }
  }

  async next(): Promise<readonly Line[]> {
    for (;;) {
      const segments = await listSegments(this.#directory)
      const following = segments.find(({ segment }) => segment > this.#position.segment)
      if (segments.some(({ segment }) => segment === this.#position.segment)) {
        const lines = await this.#read(following !== undefined)
        if (lines.length > 0) return lines
      }
      if (following === undefined) return []
      await this.#follow(following.segment)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  /** `isFinished`: the segment does not grow any more. */
  async #read(isFinished: boolean): Promise<readonly Line[]> {
    const { segment, offset } = this.#position
    this.#file ??= await open(segmentPath(this.#directory, segment), 'r')
    for (let size = usualBytes; ; size *= 4) {
      const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(size), 0, size, offset)
      const isEnd = bytesRead < size
      const { frames, end, damaged } = readFrames(buffer.subarray(0, bytesRead), isFinished && isEnd)
      if (end === 0 && !isEnd) continue
      this.#damagedBytes += damaged
      this.#position = { segment, offset: offset + end }
      if (frames.length > 0) {
        return frames.map((frame) => ({ text: frame.text, end: { segment, offset: offset + frame.end } }))
      }
      if (isEnd) return []
      return await this.#read(isFinished)
    }
  }

  async #follow(segment: number): Promise<void> {
    await this[Symbol.asyncDispose]()
    if (!this.#isFirst) this.#missingSegments += segment - this.#position.segment - 1
    this.#isFirst = false
    this.#position = { segment, offset: 0 }
  }
}

const usualBytes = 1024 * 1024
