import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A listening server that can be drained. */
export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:8000`. */
  readonly url: string
  /**
   * Stops taking connections and lets what is in flight finish, for `graceMs` at most; then closes every
   * connection. Resolves when none is left.
   */
  close(graceMs: number): Promise<void>
}

/** Listens; rejects when the address cannot be had. Port 0 takes any free one. */
export async function listen(listener: RequestListener, host: string, port: number): Promise<RunningServer> {
  const server = createServer(serverOptions, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { url: urlOf(server), close: (graceMs) => drain(server, graceMs) }
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

/** Once closed, Node no longer enforces its own timeouts: half-sent requests would keep it open for ever. */
function drain(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 100)
    const deadline = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearInterval(sweep)
      clearTimeout(deadline)
      resolve()
    })
    server.closeIdleConnections()
  })
}
