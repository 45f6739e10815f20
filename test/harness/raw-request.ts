import { connect } from 'node:net'

/** What came back on a socket, as it stood: header names in lower case, chunks joined. */
export type RawAnswer = {
  readonly status: number
  /** What the status line says in words. */
  readonly reason: string
  readonly headers: Record<string, string>
  readonly body: string
}

/** One request on a connection of its own. A body is JSON unless `headers` say otherwise. */
export async function rawRequest(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const framing = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const all = {
    host: 'localhost',
    connection: 'close',
    'content-type': 'application/json',
    ...framing,
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(Number(port), hostname)
  socket.write(Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'))
  socket.write(body)
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  return parsed(Buffer.concat(pieces).toString())
}

function parsed(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [line = '', ...fields] = text.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const colon = field.indexOf(':')
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim()
  }
  const rest = text.slice(end + 4)
  const isChunked = headers['transfer-encoding'] === 'chunked'
  const [, status, ...words] = line.split(' ')
  return { status: Number(status), reason: words.join(' '), headers, body: isChunked ? joined(rest) : rest }
}

/** Of text in ASCII: the sizes of chunks count bytes. */
function joined(chunked: string): string {
  let text = ''
  let at = 0
  while (at < chunked.length) {
    const end = chunked.indexOf('\r\n', at)
    const length = Number.parseInt(chunked.slice(at, end), 16)
    text += chunked.slice(end + 2, end + 2 + length)
    at = end + 4 + length
  }
  return text
}
