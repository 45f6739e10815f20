import { Buffer } from 'node:buffer'
import type { EncodedLine } from '../core/model/record/line-writer.ts'

/** The latest lines, in order. */
export interface KeptLines {
  /** Keeps a line, a number and an owner, and drops the oldest ones if there is no room. False if it is too long. */
  keep(line: EncodedLine, stamp: number, owner?: string): boolean
  /** The latest one that begins with this text. */
  findLast(beginning: string): FoundLine | undefined
}

export type FoundLine = { readonly line: string; readonly stamp: number; readonly owner: string }

export type KeptLinesSettings = {
  /** How many lines there may be. */
  readonly lines: number
  /** Their total size in bytes. A larger line is not kept. */
  readonly bytes: number
}

/** A line that is dropped for a later one; valid until the next line is kept. */
export type DroppedLine = { readonly owner: string; readonly stamp: number; readonly line: EncodedLine }

/**
 * A ring buffer of bytes. The garbage collector would promote objects or strings that are kept for thousands of calls,
 * and free them only in full collections: that took 4 % of a busy gateway's time.
 */
export function createKeptLines(
  { lines, bytes }: KeptLinesSettings,
  dropped?: (line: DroppedLine) => void,
): KeptLines {
  const room = Buffer.allocUnsafeSlow(bytes)
  const starts = new Uint32Array(lines)
  const ends = new Uint32Array(lines)
  const stamps = new Float64Array(lines)
  const owners: string[] = []
  /** The next position in the bytes, and in the lists. */
  let at = 0
  let next = 0
  let count = 0
  const oldest = () => (next - count + lines) % lines
  const startOf = (place: number) => starts[place] ?? 0
  const endOf = (place: number) => ends[place] ?? 0
  /** Compared from the end, because lines with the same beginning differ there. */
  const isAt = (start: number, sought: Buffer) => {
    let left = sought.length
    while (left > 0 && room[start + left - 1] === sought[left - 1]) left--
    return left === 0
  }
  const read = (place: number) => room.toString('utf8', startOf(place), endOf(place))
  const drop = () => {
    const place = oldest()
    count--
    if (dropped === undefined) return
    const bytes = room.subarray(startOf(place), endOf(place))
    dropped({ owner: owners[place] ?? '', stamp: stamps[place] ?? 0, line: { bytes, length: bytes.length } })
  }
  const startOver = () => {
    // Lines after this position are older than those at the beginning, and must go first.
    while (count > 0 && startOf(oldest()) >= at) drop()
    at = 0
  }
  return {
    keep({ bytes: from, length }, stamp, owner = '') {
      if (length > bytes) return false
      if (at + length > bytes) startOver()
      while (count > 0 && startOf(oldest()) < at + length && endOf(oldest()) > at) drop()
      if (count === lines) drop()
      const end = at + from.copy(room, at, 0, length)
      starts[next] = at
      ends[next] = end
      stamps[next] = stamp
      owners[next] = owner
      at = end
      next = (next + 1) % lines
      count++
      return true
    },
    findLast(beginning) {
      const sought = Buffer.from(beginning)
      // Look-ups are rare, and mostly for recent lines: an index would cost every call.
      for (let back = 1; back <= count; back++) {
        const place = (next - back + lines) % lines
        const start = startOf(place)
        const end = endOf(place)
        if (end - start < sought.length || !isAt(start, sought)) continue
        return { line: read(place), stamp: stamps[place] ?? 0, owner: owners[place] ?? '' }
      }
      return undefined
    },
  }
}
