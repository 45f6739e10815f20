import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'

/** The path in a host such as `unix:/run/gateway.sock`; undefined for other hosts. */
export function socketPath(host: string): string | undefined {
  return host.startsWith('unix:') ? host.slice('unix:'.length) : undefined
}

/**
 * Listens on a Unix socket. Its group may use it too, for example a proxy under another user. A stale socket of a
 * killed process is removed, but not one that answers. Rejects if the address is not available.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  try {
    await listenOn(server, path)
  } catch (thrown) {
    if (!isInUse(thrown) || !isSocket(path) || (await isAnswered(path))) throw thrown
    unlinkSync(path)
    await listenOn(server, path)
  }
  chmodSync(path, 0o660)
}

function listenOn(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, backlog: 8192 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function isInUse(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE'
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => settle(true))
    // A refused connection means that nothing listens. After other errors the socket is kept.
    socket.once('error', (error) => settle(!('code' in error) || error.code !== 'ECONNREFUSED'))
  })
}
