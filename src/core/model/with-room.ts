import { Buffer } from 'node:buffer'

/** A buffer with room for `count` bytes after its first `length`: the same one, or a larger copy. */
export function withRoom(buffer: Buffer, length: number, count: number): Buffer {
  if (length + count <= buffer.length) return buffer
  const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, length + count))
  buffer.copy(larger, 0, 0, length)
  return larger
}
