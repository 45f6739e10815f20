import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BillKeeper, type BillLine, createBill, type Tariff } from './bill.ts'

/** A running simulated upstream, with its requests, aborts and bill. */
export interface SimulatedServer extends AsyncDisposable {
  /** `http://127.0.0.1:9000`. */
  readonly origin: string
  /** The latest requests with any outcome, oldest first; at most 1000. */
  readonly requests: readonly ReceivedRequest[]
  /** The number of received requests. */
  hits(): number
  /** The number of requests whose client disconnected before the end. */
  abandoned(): number
  /** The charges per attempt; also at `GET /bill`. */
  bill(): readonly BillLine[]
}

export type ServerOptions = {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The required key; undefined: none. */
  readonly key?: string | undefined
  /** The delay of every answer in milliseconds; undefined: only what the model's name requests. */
  readonly slowMs?: number | undefined
  /** The prices for the bill. */
  readonly tariff?: Tariff | undefined
}

export type ReceivedRequest = {
  readonly method: string
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** A request and its response. */
export type Exchange = {
  readonly request: ReceivedRequest
  readonly response: ServerResponse
  /** Aborts when the client has disconnected. */
  readonly signal: AbortSignal
  /** The number of the request, from 1. */
  readonly number: number
  /** Adds a charge for this request. */
  readonly charge: (line: Omit<BillLine, 'nanoUsd' | 'attempt'>) => void
  /** True if the script closed the connection. */
  isClosedOnPurpose: boolean
}

/**
 * Answers one request. Errors after the client has disconnected are ignored. Any other error is a bug and crashes the
 * process.
 */
export type Answerer = (exchange: Exchange) => Promise<void>

/** Resolves when the server listens; rejects if it cannot. */
export async function startSimulatedServer(
  options: ServerOptions,
  answer: Answerer,
): Promise<SimulatedServer> {
  const state: ServerState = {
    answer,
    book: createBill(options.tariff ?? (() => undefined)),
    requests: [],
    hits: 0,
    abandoned: 0,
    closing: false,
  }
  // Longer than clients keep idle connections, so that none is closed while a request is sent on it.
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    void receive(request, response, state)
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')
  return {
    origin: originOf(server),
    requests: state.requests,
    hits: () => state.hits,
    abandoned: () => state.abandoned,
    bill: () => state.book.lines(),
    async [Symbol.asyncDispose]() {
      state.closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

type ServerState = {
  readonly answer: Answerer
  readonly book: BillKeeper
  readonly requests: ReceivedRequest[]
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

async function receive(
  message: IncomingMessage,
  response: ServerResponse,
  state: ServerState,
): Promise<void> {
  if (message.method === 'GET' && message.url === '/bill') {
    const lines = state.book.lines()
    const totalNanoUsd = lines.reduce((sum, { nanoUsd = 0 }) => sum + nanoUsd, 0)
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ totalNanoUsd, lines }))
    return
  }
  state.hits++
  const left = new AbortController()
  const request: ReceivedRequest = {
    method: message.method ?? '',
    path: message.url ?? '',
    headers: { ...message.headers },
    body: '',
  }
  const named = message.headers['x-request-id']
  const attempt = typeof named === 'string' ? named : undefined
  const exchange = {
    request,
    response,
    signal: left.signal,
    number: state.hits,
    charge: (line: Omit<BillLine, 'nanoUsd' | 'attempt'>) => state.book.charge({ attempt, ...line }),
    isClosedOnPurpose: false,
  }
  response.once('close', () => {
    left.abort()
    if (!response.writableFinished && !exchange.isClosedOnPurpose && !state.closing) state.abandoned++
  })
  try {
    exchange.request = { ...request, body: await readBody(message) }
    state.requests.push(exchange.request)
    if (state.requests.length > mostRequestsKept) state.requests.shift()
    await state.answer(exchange)
  } catch (thrown) {
    if (!left.signal.aborted && message.complete) throw thrown
  }
}

/** Reads the body to its end, so that the client receives the answer; '' if the body is too large to keep. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= mostBodyBytes) chunks.push(chunk)
  }
  return bytes <= mostBodyBytes ? Buffer.concat(chunks).toString() : ''
}
