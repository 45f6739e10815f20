import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'

/** A listening server that can be drained. */
export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:8000`. */
  readonly url: string
  /** Stops taking connections, and closes each that is open as soon as it is idle. Resolves when none is left. */
  close(): Promise<void>
  /** Closes every connection, whatever is under way on it. */
  cut(): void
}

/** Listens; rejects when the address cannot be had. Port 0 takes any free one. */
export async function listen(listener: RequestListener, host: string, port: number): Promise<RunningServer> {
  const server = createServer(serverOptions, listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { url: urlOf(server), close: () => close(server, sockets), cut: () => server.closeAllConnections() }
}

const serverOptions = {
  /** OpenAI documents 64 KiB; Node's own 16 KiB refuses what its clients may send. */
  maxHeaderSize: 65_536,
  headersTimeout: 15_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: 5_000,
  /** Longer than the idle clock of load balancers, so that they and not we close first. */
  keepAliveTimeout: 75_000,
} as const

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/**
 * Not by the server's own `close`: it takes a connection for idle as soon as its answer is written, be it sent or not,
 * and cuts what the caller still reads. It also stops minding requests that are never sent to their end.
 */
function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const sweep = () => {
      // One that never asked for anything, as browsers open beforehand, is waited for by nobody.
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
