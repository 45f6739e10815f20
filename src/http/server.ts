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
import { socketPath, takeSocket } from './unix-socket.ts'

/** A listening server that can be drained. */
export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:8000`, or `unix:/run/gateway.sock`. */
  readonly url: string
  /** Uses another certificate for new connections. Only where there was one at the start. */
  renew(tls: Tls): void
  /** Stops taking connections, and closes each that is open as soon as it is idle. Resolves when none is left. */
  close(): Promise<void>
  /** Closes every connection, whatever is under way on it. */
  cut(): void
}

/** A certificate with those that vouch for it, and its key, as PEM. */
export type Tls = { readonly cert: string; readonly key: string }

/** `host` may be `unix:` and a path; `port` then means nothing. Port 0 takes any free one. */
export type Address = { readonly host: string; readonly port: number; readonly tls?: Tls | undefined }

/** Listens; rejects when the address cannot be had. */
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
    // Of an encrypted one, that below it was counted.
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
      // Those that have not yet agreed on how to encrypt are none of HTTP's.
      for (const socket of sockets) if (secure !== undefined) socket.destroy()
    },
  }
}

export type ListenParts = {
  readonly unparsed?: UnparsedAnswer
  /** Left out: there may be any number. */
  readonly connections?: Pick<Connections, 'open'>
}

/** Answers, on its connection, what could not be read as a request. */
export type UnparsedAnswer = (error: Error, socket: Duplex) => void

function hangUp(_error: Error, socket: Duplex): void {
  socket.destroy()
}

/** In place of what Node would answer by itself, without a word of why. */
function answerRefusals(
  server: Server | SecureServer,
  listener: RequestListener,
  unparsed: UnparsedAnswer,
): void {
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answers.set(request.socket, response)
  })
  // What is expected of it is for the listener to refuse.
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
  /** OpenAI documents 64 KiB; Node's own 16 KiB refuses what its clients may send. */
  maxHeaderSize: 65_536,
  headersTimeout: 15_000,
  /** A Host that is missing is refused with all the others. */
  requireHostHeader: false,
  /** A body has clocks of its own: see body-clock.ts. */
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
  /** Longer than the idle clock of load balancers, so that they and not we close first. */
  keepAliveTimeout: 75_000,
} as const

const secureOptions = { minVersion: 'TLSv1.2', handshakeTimeout: 15_000 } as const

async function startListening(server: Server | SecureServer, { host, port }: Address): Promise<void> {
  const path = socketPath(host)
  if (path !== undefined) return await takeSocket(server, path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** How many may wait to be taken up, as far as the system lets them: Node's own 511 resets those of a burst. */
const backlog = 8192

function urlOf(server: NetServer, scheme: 'http' | 'https'): string {
  const at = server.address() as AddressInfo | string
  if (typeof at === 'string') return `unix:${at}`
  return `${scheme}://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`
}

/**
 * Not by the server's own `close`: it takes a connection for idle as soon as its answer is written, be it sent or not,
 * and cuts what the caller still reads. It also stops minding requests that are never sent to their end.
 */
function close(server: Server | SecureServer, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const sweep = () => {
      // Idle connections that browsers open in advance are not waited for.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      const areAllSent = sockets.values().every(({ writableLength }) => writableLength === 0)
      if (areAllSent) server.closeIdleConnections()
    }
    const sweeping = setInterval(sweep, 100)
    NetServer.prototype.close.call(server, () => {
      clearInterval(sweeping)
      // Only this ends the minding.
      server.close()
      resolve()
    })
    // What has arrived by now is read before: it is refused in words, and not cut.
    setImmediate(sweep)
  })
}
