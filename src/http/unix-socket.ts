import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'

/** The path in a host such as `unix:/run/gateway.sock`; undefined for any other. */
export function socketPath(host: string): string | undefined {
  return host.startsWith('unix:') ? host.slice('unix:'.length) : undefined
}

/**
 * Listens on a Unix socket that the group may use, too, as a proxy under another user does. A socket that a process
 * left
 * behind when it was killed is removed; one that somebody answers is not. Rejects when the address cannot be had.
 */
export async function takeSocket(server: Server, path: string): Promise<void> {
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
    // Refused: nothing listens there. Any other error is no reason to remove it.
    socket.once('error', (error) => settle(!('code' in error) || error.code !== 'ECONNREFUSED'))
  })
}
