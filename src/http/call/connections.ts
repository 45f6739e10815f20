import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Counts connections, so that nobody takes all of them. */
export interface Connections {
  /** Accepts a connection; false if there is no room for it. */
  open(socket: Socket): boolean
  /** Its caller was authenticated: it no longer counts for its address. */
  admitted(socket: Duplex): void
}

export type ConnectionLimits = {
  /** In all. */
  readonly connections: number
  /** From one address, before authentication. */
  readonly connectionsPerAddress: number
}

export type ConnectionParts = {
  /** The current limits. */
  readonly limits: () => ConnectionLimits
  /** Many callers share it: it does not count for its address. */
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
