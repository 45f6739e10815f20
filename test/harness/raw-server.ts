import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/**
 * An upstream made of bare sockets, so that a test decides every byte and every way of breaking off. It counts
 * what reaches it: hits, connections, connections still open.
 */
export type RawServer = AsyncDisposable & {
  readonly origin: string
  readonly requests: readonly RawRequest[]
  /** How many connections were ever made, and how many are open now. */
  readonly connections: number
  readonly open: number
  /** Resolves with the request of that number, from 1, when it has arrived. */
  arrival(hit: number): Promise<RawRequest>
  /** Resolves when no connection is open. */
  idle(): Promise<void>
}

export type RawRequest = {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Which connection it came by, from 1. */
  readonly connection: number
  readonly socket: Socket
}

/** What the upstream does with a request that has arrived whole. Doing nothing is being silent. */
export type Behaviour = (socket: Socket, request: RawRequest) => unknown

export async function startRawServer(behave: Behaviour): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const requests: RawRequest[] = []
  const watchers = new Set<() => void>()
  let connections = 0
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  const server = createServer((socket) => {
    const connection = ++connections
    sockets.add(socket)
    // A caller that breaks off is what many tests are about.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      changed()
    })
    readRequests(socket, (head, body) => {
      const request = { ...parseHead(head), body, connection, socket }
      requests.push(request)
      changed()
      behave(socket, request)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const watcher = () => {
        if (!condition()) return
        watchers.delete(watcher)
        resolve()
      }
      watchers.add(watcher)
      watcher()
    })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    async arrival(hit) {
      await until(() => requests.length >= hit)
      return requests[hit - 1]!
    },
    idle: () => until(() => sockets.size === 0),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An address where nothing listens. */
export async function deadOrigin(): Promise<string> {
  const server = await startRawServer(() => undefined)
  await server[Symbol.asyncDispose]()
  return server.origin
}

export type AnswerHead = { readonly status?: number; readonly headers?: Readonly<Record<string, string>> }

/** A complete answer of known length. */
export function answer(body: string | Buffer, { status = 200, headers = {} }: AnswerHead = {}): Buffer {
  const bytes = Buffer.from(body)
  const fields = { 'content-type': 'application/json', 'content-length': `${bytes.length}`, ...headers }
  return Buffer.concat([Buffer.from(head(status, fields)), bytes])
}

/** The head of an answer that comes in chunks. */
export function streamHead({ status = 200, headers = {} }: AnswerHead = {}): string {
  return head(status, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked', ...headers })
}

/** One chunk of such an answer. */
export function chunk(body: string | Buffer): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

/** What ends it. */
export const lastChunk = '0\r\n\r\n'

/** A complete answer in chunks, each written as it stands. */
export function streamed(pieces: readonly (string | Buffer)[], options?: AnswerHead): Buffer {
  return Buffer.concat([Buffer.from(streamHead(options)), ...pieces.map(chunk), Buffer.from(lastChunk)])
}

function head(status: number, fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Some Reason\r\n${lines.join('')}\r\n`
}

function readRequests(socket: Socket, onRequest: (head: string, body: string) => void): void {
  let buffered = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    buffered = Buffer.concat([buffered, bytes])
    while (true) {
      const headEnd = buffered.indexOf('\r\n\r\n')
      if (headEnd === -1) return
      const requestHead = buffered.toString('latin1', 0, headEnd)
      const length = Number(/^content-length: (\d+)/im.exec(requestHead)?.[1] ?? 0)
      const end = headEnd + 4 + length
      if (buffered.length < end) return
      const body = buffered.toString('utf8', headEnd + 4, end)
      buffered = buffered.subarray(end)
      onRequest(requestHead, body)
    }
  })
}

function parseHead(requestHead: string): Pick<RawRequest, 'method' | 'path' | 'headers'> {
  const [start = '', ...lines] = requestHead.split('\r\n')
  const [method = '', path = ''] = start.split(' ')
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { method, path, headers: Object.fromEntries(fields) }
}
