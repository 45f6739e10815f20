import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Connections } from './call/connections.ts'
import { listenOnSocket, socketPath } from './unix-socket.ts'

/** A listening server that can be drained. */
export interface RunningServer {
  /** The address: `http://127.0.0.1:8000`, or `unix:/run/gateway.sock`. */
  readonly url: string
  /** Uses another certificate for new connections. Has no effect on a server that was started without one. */
  renew(tls: Tls): void
  /** Stops accepting connections, and closes each open one when it is idle. Resolves when none is left. */
  close(): Promise<void>
  /** Closes every connection, with all requests in flight. */
  cut(): void
}

/** A certificate with its chain, and its key, as PEM. */
export type Tls = { readonly cert: string; readonly key: string }

/** `host` may be `unix:` followed by a path; `port` is then ignored. Port 0 selects a free port. */
export type Address = { readonly host: string; readonly port: number; readonly tls?: Tls | undefined }

/** Listens; rejects if the address is not available. */
export async function listen(
  listener: RequestListener,
  address: Address,
  { unparsed = hangUp, connections }: ListenParts = {},
): Promise<RunningServer> {
  const { tls } = address
  const secure = tls && createSecureServer({ ...serverOptions, ...secureOptions, ...tls }, listener)
  const server = secure ?? createServer(serverOptions, listener)
  const sockets = new Set<Socket>()
  answerRefusals(server, listener, unparsed)
  const track = (socket: Socket) => {
    // The TCP connection below a TLS connection was already counted.
    if (!(socket instanceof TLSSocket) && connections?.open(socket) === false) socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  server.on('connection', track)
  server.on('secureConnection', track)
  await startListening(server, address)
  return {
    url: urlOf(server, secure === undefined ? 'http' : 'https'),
    renew: (pair) => void secure?.setSecureContext({ ...secureOptions, ...pair }),
    close: () => close(server, sockets),
    cut() {
      server.closeAllConnections()
      // Connections without a finished TLS handshake do not reach HTTP.
      for (const socket of sockets) if (secure !== undefined) socket.destroy()
    },
  }
}

export type ListenParts = {
  readonly unparsed?: UnparsedAnswer
  /** Absent: the number of connections is not limited. */
  readonly connections?: Pick<Connections, 'open'>
}

/** Answers a request that could not be parsed, on its connection. */
export type UnparsedAnswer = (error: Error, socket: Duplex) => void

function hangUp(_error: Error, socket: Duplex): void {
  socket.destroy()
}

/** Replaces Node's own error answers, which give no reason. */
function answerRefusals(
  server: Server | SecureServer,
  listener: RequestListener,
  unparsed: UnparsedAnswer,
): void {
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answers.set(request.socket, response)
  })
  // The listener itself refuses an unknown `expect`.
  server.on('checkExpectation', listener)
  server.on('clientError', (error: Error, socket: Duplex) => {
    const last = answers.get(socket)
    const isBetween = last === undefined || last.writableEnded || !last.headersSent
    if (socket.writable && isBetween && !isGone(error)) unparsed(error, socket)
    else socket.destroy(error)
  })
}

function isGone(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

const serverOptions = {
  /** OpenAI documents 64 KiB; Node's default of 16 KiB refuses some of its clients' requests. */
  maxHeaderSize: 65_536,
  headersTimeout: 15_000,
  /** A missing Host is refused by `refuseAmbiguous`. */
  requireHostHeader: false,
  /** Bodies have their own time limits: see body-clock.ts. */
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
  /** Longer than the idle timeout of load balancers, so that they close first. */
  keepAliveTimeout: 75_000,
} as const

const secureOptions = { minVersion: 'TLSv1.2', handshakeTimeout: 15_000 } as const

async function startListening(server: Server | SecureServer, { host, port }: Address): Promise<void> {
  const path = socketPath(host)
  if (path !== undefined) return await listenOnSocket(server, path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/**
 * The number of connections that may wait to be accepted, within the system's limit. With Node's default of 511,
 * connections of a burst are reset.
 */
const backlog = 8192

function urlOf(server: NetServer, scheme: 'http' | 'https'): string {
  const at = server.address() as AddressInfo | string
  if (typeof at === 'string') return `unix:${at}`
  return `${scheme}://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`
}

/**
 * Does not use the server's own `close`. That treats a connection as idle when its answer was written but not sent, and
 * truncates the answer. It also stops the timeout of requests that are never completed.
 */
function close(server: Server | SecureServer, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const sweep = () => {
      // Idle connections that browsers open in advance are closed at once.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      const areAllSent = sockets.values().every(({ writableLength }) => writableLength === 0)
      if (areAllSent) server.closeIdleConnections()
    }
    const sweeping = setInterval(sweep, 100)
    NetServer.prototype.close.call(server, () => {
      clearInterval(sweeping)
      // Only this call stops the timer of requests.
      server.close()
      resolve()
    })
    // Requests that have already arrived are read first, so that they are answered and not reset.
    setImmediate(sweep)
  })
}
