import { Buffer } from 'node:buffer'

/** The latest lines, in order. */
export interface KeptLines {
  /** Keeps a line and a number, and drops the oldest ones if there is no room. */
  keep(line: string, stamp: number): void
  /** The latest one that begins with this text. */
  findLast(beginning: string): { readonly line: string; readonly stamp: number } | undefined
}

export type KeptLinesSettings = {
  /** How many lines there may be. */
  readonly lines: number
  /** Their total size in bytes of UTF-8. A line that may be larger is not kept. */
  readonly bytes: number
}

/**
 * A ring buffer of bytes. The garbage collector would promote objects or strings that are kept for thousands of calls,
 * and free them only in full collections: that took 4 % of a busy gateway's time.
 */
export function createKeptLines({ lines, bytes }: KeptLinesSettings): KeptLines {
  const room = Buffer.allocUnsafeSlow(bytes)
  const starts = new Uint32Array(lines)
  const ends = new Uint32Array(lines)
  const stamps = new Float64Array(lines)
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
  const beginAnew = () => {
    // Lines after this position are older than those at the beginning, and must go first.
    while (count > 0 && startOf(oldest()) >= at) count--
    at = 0
  }
  return {
    keep(line, stamp) {
      const mostBytes = line.length * mostBytesOfUnit
      if (mostBytes > bytes) return
      if (at + mostBytes > bytes) beginAnew()
      const end = at + room.write(line, at, 'utf8')
      while (count > 0 && startOf(oldest()) < end && endOf(oldest()) > at) count--
      if (count === lines) count--
      starts[next] = at
      ends[next] = end
      stamps[next] = stamp
      at = end
      next = (next + 1) % lines
      count++
    },
    findLast(beginning) {
      const sought = Buffer.from(beginning)
      // Look-ups are rare, and mostly for recent lines: an index would cost every call.
      for (let back = 1; back <= count; back++) {
        const place = (next - back + lines) % lines
        const start = startOf(place)
        const end = endOf(place)
        if (end - start < sought.length || !isAt(start, sought)) continue
        return { line: room.toString('utf8', start, end), stamp: stamps[place] ?? 0 }
      }
      return undefined
    },
  }
}

/** Of UTF-8, per UTF-16 unit. */
const mostBytesOfUnit = 3
