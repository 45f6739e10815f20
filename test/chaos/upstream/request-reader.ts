import type { Socket } from 'node:net'

/** A request as received over a raw socket. Header names are in lower case. */
export type BareRequest = {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Reads the requests of one connection, each of which says its length. */
export function readRequests(socket: Socket, onRequest: (request: BareRequest) => void): void {
  let pieces: Buffer[] = []
  let bytes = 0
  let wanted = 0
  socket.on('data', (piece) => {
    pieces.push(Buffer.from(piece))
    bytes += piece.length
    // A long body is put together once, not again with every piece of it.
    while (bytes > 0 && bytes >= wanted) {
      const buffered = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
      pieces = [buffered]
      const headEnd = buffered.indexOf('\r\n\r\n')
      if (headEnd === -1) return
      const head = buffered.toString('latin1', 0, headEnd)
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
      const end = headEnd + 4 + length
      wanted = end
      if (bytes < end) return
      const rest = buffered.subarray(end)
      pieces = rest.length === 0 ? [] : [rest]
      bytes = rest.length
      wanted = 0
      onRequest({ ...headOf(head), body: buffered.toString('utf8', headEnd + 4, end) })
    }
  })
}

function headOf(head: string): Omit<BareRequest, 'body'> {
  const [start = '', ...lines] = head.split('\r\n')
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { path: start.split(' ')[1] ?? '', headers: Object.fromEntries(fields) }
}
