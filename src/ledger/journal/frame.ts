import { crc32 } from 'node:zlib'

/**
 * A line of the journal as bytes: its length and its CRC-32, eight hexadecimal digits each, its text, a line feed. The
 * text contains no line feed.
 */
export const frameOverhead = 19

/** Writes a frame at `at`, and returns its end. There must be room for three bytes per character plus the overhead. */
export function writeFrame(bytes: Buffer, at: number, text: string): number {
  const start = textStart(at)
  return closeFrame(bytes, at, start + bytes.write(text, start, 'utf8'))
}

/** Where the text of a frame at `at` begins. */
export function textStart(at: number): number {
  return at + headerBytes
}

/** Completes a frame whose text is in place and ends at `textEnd`; returns its end. */
export function closeFrame(bytes: Buffer, at: number, textEnd: number): number {
  const start = textStart(at)
  writeHex(bytes, at, textEnd - start)
  bytes[at + 8] = space
  writeHex(bytes, at + 9, crc32(bytes.subarray(start, textEnd)))
  bytes[at + 17] = space
  bytes[textEnd] = lineFeed
  return textEnd + 1
}

/** The frame of one text. */
export function frameOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length * 3 + frameOverhead)
  return bytes.subarray(0, writeFrame(bytes, 0, text))
}

export type Frames = {
  /** Each frame's text and its end. */
  readonly frames: readonly Frame[]
  /** How much was read: what follows is an incomplete frame. */
  readonly end: number
  /** Bytes that were skipped because they were not a frame. */
  readonly damaged: number
}

export type Frame = { readonly text: string; readonly end: number }

/**
 * Reads the frames in these bytes. After damage it continues at the next line. An incomplete frame is left for the next
 * read; with `isAll` it is damage.
 */
export function readFrames(bytes: Buffer, isAll: boolean): Frames {
  const frames: Frame[] = []
  let at = 0
  let damaged = 0
  while (at < bytes.length) {
    const end = frameEnd(bytes, at)
    if (end === 'incomplete' && !isAll) break
    if (typeof end === 'number') {
      frames.push({ text: bytes.toString('utf8', at + headerBytes, end - 1), end })
      at = end
      continue
    }
    const next = bytes.indexOf(lineFeed, at) + 1
    if (next === 0 && !isAll) break
    damaged += (next || bytes.length) - at
    at = next || bytes.length
  }
  return { frames, end: at, damaged }
}

const headerBytes = 18
const space = 0x20
const lineFeed = 0x0a
const digits = Buffer.from('0123456789abcdef')
const digitZero = 0x30
const digitNine = 0x39
const letterA = 0x61

/** Longer than any line: a larger length is damage. */
const mostBytes = 64 * 1024 * 1024

function frameEnd(bytes: Buffer, at: number): number | 'incomplete' | 'damaged' {
  if (at + headerBytes > bytes.length) return 'incomplete'
  const length = readHex(bytes, at)
  const sum = readHex(bytes, at + 9)
  const isHeader = bytes[at + 8] === space && bytes[at + 17] === space
  if (length === undefined || sum === undefined || !isHeader || length > mostBytes) return 'damaged'
  const start = at + headerBytes
  const end = start + length + 1
  if (end > bytes.length) return 'incomplete'
  const isWhole = bytes[end - 1] === lineFeed && crc32(bytes.subarray(start, end - 1)) === sum
  return isWhole ? end : 'damaged'
}

function writeHex(bytes: Buffer, at: number, value: number): void {
  for (let digit = 0; digit < 8; digit++) bytes[at + digit] = digits[(value >>> (28 - digit * 4)) & 15] ?? 0
}

function readHex(bytes: Buffer, at: number): number | undefined {
  let value = 0
  for (let digit = 0; digit < 8; digit++) {
    const code = bytes[at + digit] ?? 0
    const nibble = code >= letterA ? code - letterA + 10 : code - digitZero
    if (nibble < 0 || nibble > 15 || (code > digitNine && code < letterA)) return undefined
    value = value * 16 + nibble
  }
  return value
}
