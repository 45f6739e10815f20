import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Counts connections, so that no client can take all of them. */
export interface Connections {
  /** Counts a new connection; false if it exceeds a limit. */
  open(socket: Socket): boolean
  /** Call this when the caller is authenticated. The connection then no longer counts for its address. */
  admitted(socket: Duplex): void
}

export type ConnectionLimits = {
  /** The maximum number of connections. */
  readonly connections: number
  /** The maximum number of connections from one address before authentication. */
  readonly connectionsPerAddress: number
}

export type ConnectionParts = {
  /** The current limits. */
  readonly limits: () => ConnectionLimits
  /** True for a proxy. Its connections do not count for its address, because many callers share it. */
  readonly isProxy: (address: string) => boolean
}

export function createConnections({ limits, isProxy }: ConnectionParts): Connections {
  const strangers = new Map<string, number>()
  const addresses = new WeakMap<Duplex, string>()
  let count = 0
  const note = (address: string, by: number) => {
    const left = (strangers.get(address) ?? 0) + by
    if (left > 0) strangers.set(address, left)
    else strangers.delete(address)
  }
  const admitted = (socket: Duplex) => {
    const address = addresses.get(socket)
    if (address === undefined) return
    addresses.delete(socket)
    note(address, -1)
  }
  return {
    open(socket) {
      const { connections, connectionsPerAddress } = limits()
      const address = socket.remoteAddress ?? ''
      const isCounted = address !== '' && !isProxy(address)
      if (count >= connections) return false
      if (isCounted && (strangers.get(address) ?? 0) >= connectionsPerAddress) return false
      count++
      if (isCounted) {
        addresses.set(socket, address)
        note(address, 1)
      }
      socket.once('close', () => {
        count--
        admitted(socket)
      })
      return true
    },
    admitted,
  }
}
