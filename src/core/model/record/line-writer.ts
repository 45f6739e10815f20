import { Buffer } from 'node:buffer'
import { withRoom } from '../with-room.ts'

/** JSON text as UTF-8: the first `length` of the bytes. Those of a `LineWriter` are valid until its next `clear`. */
export type EncodedLine = { readonly bytes: Buffer; readonly length: number }

export function encodeLine(text: string): EncodedLine {
  const bytes = Buffer.from(text)
  return { bytes, length: bytes.length }
}

export function decodeLine({ bytes, length }: EncodedLine): string {
  return bytes.toString('utf8', 0, length)
}

/**
 * Writes JSON text into a buffer that is reused. Every call pays for it: a string takes twice as long, because it is
 * built of many pieces, and encoded again for the log, for look-ups and for the journal.
 */
export class LineWriter implements EncodedLine {
  #bytes: Buffer = Buffer.allocUnsafeSlow(usualBytes)
  #length = 0

  get bytes(): Buffer {
    return this.#bytes
  }

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
  }

  /** Writes bytes as they are. */
  put(text: Uint8Array): void {
    const count = text.length
    const bytes = this.#room(count)
    const start = this.#length
    // Short: a native copy takes longer.
    for (let at = 0; at < count; at++) bytes[start + at] = text[at] as number
    this.#length = start + count
  }

  /** Writes text that is JSON already. */
  json(text: string): void {
    const bytes = this.#room(text.length * mostBytesOfUnit)
    this.#length += bytes.write(text, this.#length, 'utf8')
  }

  /** Writes a string with its quotation marks. */
  quote(text: string): void {
    const count = text.length
    const bytes = this.#room(count + 2)
    let end = this.#length
    bytes[end++] = quotationMark
    for (let at = 0; at < count; at++) {
      const unit = text.charCodeAt(at)
      if (unit < space || unit > tilde || unit === quotationMark || unit === backslash) {
        this.json(JSON.stringify(text))
        return
      }
      bytes[end++] = unit
    }
    bytes[end++] = quotationMark
    this.#length = end
  }

  /** Writes a number; `null` for one that JSON does not have. */
  number(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && Number.isInteger(value)))
      this.json(Number.isFinite(value) ? String(value) : 'null')
    else if (value < mostDigits) this.#whole(value, 0)
    else {
      this.number(Math.floor(value / mostDigits))
      this.#lastNine(value % mostDigits)
    }
  }

  /** With its leading zeros. */
  #lastNine(value: number): void {
    const bytes = this.#room(9)
    let rest = value | 0
    for (let at = this.#length + 8; at >= this.#length; at--) {
      bytes[at] = zero + (rest % 10)
      rest = (rest / 10) | 0
    }
    this.#length += 9
  }

  /** Writes milliseconds in hundredths, rounded half up. */
  hundredths(ms: number): void {
    const count = Math.round(ms * 100)
    if (!(count >= 0 && count < mostDigits)) this.number(count / 100)
    else if (count % 100 === 0) this.#whole(count / 100, 0)
    else if (count % 10 === 0) this.#whole(count / 10, 1)
    else this.#whole(count, 2)
  }

  /** `value` is the number without its point, which stands before the last `places` digits. */
  #whole(value: number, places: number): void {
    const bytes = this.#room(12)
    let digits = places + 1
    for (let bound = 10 ** digits; bound <= value; bound *= 10) digits++
    let end = this.#length + digits + (places > 0 ? 1 : 0)
    this.#length = end
    for (let digit = 0, rest = value | 0; digit < digits; digit++) {
      if (digit === places && places > 0) bytes[--end] = point
      bytes[--end] = zero + (rest % 10)
      rest = (rest / 10) | 0
    }
  }

  /** The buffer, with room for this many bytes more. */
  #room(count: number): Buffer {
    this.#bytes = withRoom(this.#bytes, this.#length, count)
    return this.#bytes
  }
}

/** More than a typical line has. */
const usualBytes = 4096

/** Of UTF-8, per UTF-16 unit. */
const mostBytesOfUnit = 3

/** Below the range of 32-bit integers. */
const mostDigits = 1e9

const space = 0x20
const quotationMark = 0x22
const point = 0x2e
const zero = 0x30
const backslash = 0x5c
const tilde = 0x7e
