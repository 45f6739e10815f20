import type { Server } from 'node:net'

/** Listens on a free port of the loopback, tells the parent process which, and ends when the parent does. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object') process.send?.({ port: address?.port })
  })
  process.on('disconnect', () => process.exit())
}
