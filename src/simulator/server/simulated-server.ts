import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BillBook, type BillLine, openBill, type Tariff } from './bill.ts'

/** A simulated upstream on a socket: its requests, aborts and bill. */
export interface SimulatedServer extends AsyncDisposable {
  /** `http://127.0.0.1:9000`. */
  readonly origin: string
  /** The latest requests, oldest first, whatever their result; at most 1000. */
  readonly requests: readonly SeenRequest[]
  /** How many requests came. */
  hits(): number
  /** How many the client left before the end. */
  abandoned(): number
  /** What it would have charged per attempt; also at `GET /bill`. */
  bill(): readonly BillLine[]
}

export type ServerOptions = {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** The required key; undefined: none. */
  readonly key?: string | undefined
  /** The delay of every answer, in milliseconds; undefined: by the model's name. */
  readonly slowMs?: number | undefined
  /** The prices for the bill. */
  readonly tariff?: Tariff | undefined
}

export type SeenRequest = {
  readonly method: string
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** A request, and where its answer goes. */
export type Visit = {
  readonly request: SeenRequest
  readonly response: ServerResponse
  /** Aborts when the client has left. */
  readonly signal: AbortSignal
  /** The number of the request, from 1. */
  readonly number: number
  /** Adds a charge for this request. */
  readonly charge: (line: Omit<BillLine, 'nanoUsd' | 'attempt'>) => void
  /** True once this side closed the connection on purpose. */
  broken: boolean
}

/** Answers one request. What it throws after the client has left is ignored; anything else is a bug, and loud. */
export type Answerer = (visit: Visit) => Promise<void>

/** Resolves when it listens; rejects if it cannot. */
export async function startSimulatedServer(
  options: ServerOptions,
  answer: Answerer,
): Promise<SimulatedServer> {
  const desk: Desk = {
    answer,
    book: openBill(options.tariff ?? (() => undefined)),
    requests: [],
    hits: 0,
    abandoned: 0,
    closing: false,
  }
  // A client's idle connections outlive its pauses, so that none is closed while a request is on its way.
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    void receive(request, response, desk)
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')
  return {
    origin: originOf(server),
    requests: desk.requests,
    hits: () => desk.hits,
    abandoned: () => desk.abandoned,
    bill: () => desk.book.lines(),
    async [Symbol.asyncDispose]() {
      desk.closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

type Desk = {
  readonly answer: Answerer
  readonly book: BillBook
  readonly requests: SeenRequest[]
  hits: number
  abandoned: number
  closing: boolean
}

const mostRequestsKept = 1000
const mostBodyBytes = 64 * 1024 * 1024

function originOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

async function receive(message: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  if (message.method === 'GET' && message.url === '/bill') {
    const lines = desk.book.lines()
    const totalNanoUsd = lines.reduce((sum, { nanoUsd = 0 }) => sum + nanoUsd, 0)
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ totalNanoUsd, lines }))
    return
  }
  desk.hits++
  const left = new AbortController()
  const request: SeenRequest = {
    method: message.method ?? '',
    path: message.url ?? '',
    headers: { ...message.headers },
    body: '',
  }
  const named = message.headers['x-request-id']
  const attempt = typeof named === 'string' ? named : undefined
  const visit = {
    request,
    response,
    signal: left.signal,
    number: desk.hits,
    charge: (line: Omit<BillLine, 'nanoUsd' | 'attempt'>) => desk.book.charge({ attempt, ...line }),
    broken: false,
  }
  response.once('close', () => {
    left.abort()
    if (!response.writableFinished && !visit.broken && !desk.closing) desk.abandoned++
  })
  try {
    visit.request = { ...request, body: await readBody(message) }
    desk.requests.push(visit.request)
    if (desk.requests.length > mostRequestsKept) desk.requests.shift()
    await desk.answer(visit)
  } catch (thrown) {
    if (!left.signal.aborted && message.complete) throw thrown
  }
}

/** Reads to the end, so that the client gets the answer; '' if there was too much to keep. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= mostBodyBytes) chunks.push(chunk)
  }
  return bytes <= mostBodyBytes ? Buffer.concat(chunks).toString() : ''
}
