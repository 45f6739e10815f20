import { Buffer } from 'node:buffer'

/** The latest texts, in the order they came. */
export interface KeptLines {
  /** Keeps one, in place of the oldest where there is no room; and with it a number. */
  keep(line: string, stamp: number): void
  /** The latest that begins so. */
  findLast(beginning: string): { readonly line: string; readonly stamp: number } | undefined
}

export type KeptLinesSettings = {
  /** How many there may be. */
  readonly lines: number
  /** How much room they may take, in bytes of UTF-8. A line that may take more is not kept. */
  readonly bytes: number
}

/**
 * A ring of bytes. Objects or texts that are kept for thousands of calls are all moved by the garbage collector among
 * what
 * lasts, and found dead there by its full collections: of a busy gateway's time that took 4 %.
 */
export function createKeptLines({ lines, bytes }: KeptLinesSettings): KeptLines {
  const room = Buffer.allocUnsafeSlow(bytes)
  const starts = new Uint32Array(lines)
  const ends = new Uint32Array(lines)
  const stamps = new Float64Array(lines)
  /** Where the next line goes in the room, and in the lists. */
  let at = 0
  let next = 0
  let count = 0
  const oldest = () => (next - count + lines) % lines
  const startOf = (place: number) => starts[place] ?? 0
  const endOf = (place: number) => ends[place] ?? 0
  /** From its end, where lines differ that begin alike. */
  const isAt = (start: number, sought: Buffer) => {
    let left = sought.length
    while (left > 0 && room[start + left - 1] === sought[left - 1]) left--
    return left === 0
  }
  const beginAnew = () => {
    // What is behind is older than what stands at the beginning, and would stay behind it.
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
      // Few ask, and mostly for one just kept: an index would be kept for all.
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

/** Of UTF-8, for a unit of UTF-16. */
const mostBytesOfUnit = 3
