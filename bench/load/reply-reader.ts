/**
 * Reads the HTTP/1.1 replies of one connection, however their bytes are split, with as little work per byte as it
 * takes: the load client shares its machine with what it measures. Throws on bytes that are no reply.
 */
export function createReplyReader(listener: ReplyListener): (bytes: Buffer) => void {
  let state: State = 'head'
  let pending: Buffer = nothing
  let bytesLeft = 0

  return (bytes) => {
    const input = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    pending = nothing
    let at = 0
    while (at < input.length) {
      if (state === 'sized' || state === 'chunk') {
        const end = Math.min(input.length, at + bytesLeft)
        listener.body(input.subarray(at, end))
        bytesLeft -= end - at
        at = end
        if (bytesLeft > 0) return
        if (state === 'sized') finish()
        else state = 'chunk-end'
        continue
      }
      const mark = state === 'head' ? '\r\n\r\n' : '\r\n'
      const end = input.indexOf(mark, at)
      if (end === -1) {
        pending = input.subarray(at)
        return
      }
      readLine(input.toString('latin1', at, end))
      at = end + mark.length
    }
  }

  function readLine(line: string): void {
    if (state === 'head') startBody(line.toLowerCase())
    else if (state === 'chunk-end') state = 'chunk-size'
    else if (state === 'chunk-size') {
      bytesLeft = Number.parseInt(line, 16)
      if (!(bytesLeft >= 0)) throw new Error(`not a chunk size: ${line}`)
      state = bytesLeft === 0 ? 'trailer' : 'chunk'
    } else if (line === '') finish()
  }

  function startBody(head: string): void {
    if (!head.startsWith('http/1.1 ')) throw new Error(`not an HTTP/1.1 reply: ${head.slice(0, 60)}`)
    listener.head(Number(head.slice(9, 12)))
    if (head.includes('\r\ntransfer-encoding: chunked')) {
      state = 'chunk-size'
      return
    }
    bytesLeft = readLength(head)
    state = 'sized'
    if (bytesLeft === 0) finish()
  }

  function finish(): void {
    state = 'head'
    listener.end()
  }
}

/** `body` is called any number of times between `head` and `end`; its bytes are only lent. */
export interface ReplyListener {
  head(status: number): void
  body(bytes: Buffer): void
  end(): void
}

type State = 'head' | 'sized' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer'

const nothing = Buffer.alloc(0)

function readLength(head: string): number {
  const name = '\r\ncontent-length:'
  const at = head.indexOf(name)
  if (at === -1) throw new Error('a reply with neither a length nor chunks')
  return Number.parseInt(head.slice(at + name.length), 10)
}
