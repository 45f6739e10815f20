/**
 * Reads the HTTP/1.1 requests of one connection, however their bytes are split: path and whole body. Bodies must bring
 * their length, as undici's do. Throws on bytes that are no such request.
 */
export function createRequestReader(take: (path: string, body: Buffer) => void): (bytes: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0)
  let path = ''
  let inBody = false
  let parts: Buffer[] = []
  let bytesLeft = 0

  return (bytes) => {
    let input = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    pending = Buffer.alloc(0)
    while (input.length > 0) input = inBody ? readBody(input) : readHead(input)
  }

  function readHead(input: Buffer): Buffer {
    const end = input.indexOf('\r\n\r\n')
    if (end === -1) {
      pending = input
      return Buffer.alloc(0)
    }
    const head = input.toString('latin1', 0, end)
    path = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/1.1\r\n'))
    bytesLeft = readLength(head.toLowerCase())
    inBody = bytesLeft > 0
    if (!inBody) take(path, Buffer.alloc(0))
    return input.subarray(end + 4)
  }

  function readBody(input: Buffer): Buffer {
    const part = input.subarray(0, bytesLeft)
    parts.push(part)
    bytesLeft -= part.length
    inBody = bytesLeft > 0
    if (!inBody) {
      const whole = parts.length === 1 ? part : Buffer.concat(parts)
      parts = []
      take(path, whole)
    }
    return input.subarray(part.length)
  }
}

function readLength(head: string): number {
  const name = '\r\ncontent-length:'
  const at = head.indexOf(name)
  if (at === -1) throw new Error('a request without content-length')
  return Number.parseInt(head.slice(at + name.length), 10)
}
