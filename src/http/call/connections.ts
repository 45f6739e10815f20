import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Keeps count of who is connected, so that nobody takes all the places there are. */
export interface Connections {
  /** Takes a connection in; false where there is no place for it. */
  open(socket: Socket): boolean
  /** Its caller has been let in: it is no longer counted for its address. */
  admitted(socket: Duplex): void
}

export type ConnectionLimits = {
  /** In all. */
  readonly connections: number
  /** Of one address, whose callers have not been let in yet. */
  readonly connectionsPerAddress: number
}

export type ConnectionParts = {
  /** Those that hold now. */
  readonly limits: () => ConnectionLimits
  /** Behind it are many: it is not counted for its address. */
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
