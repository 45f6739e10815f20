import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callerHeader } from '../../http/middleware/forward.ts'
import { type ListenParts, listen, type RunningServer } from '../../http/server.ts'

/** The server in the primary for requests that its workers forward. */
export type InnerServer = RunningServer & AsyncDisposable & { readonly socketPath: string }

/** Listens on a Unix socket in a directory of its own, which no other user can enter. */
export async function listenWithin(listener: RequestListener, parts: ListenParts): Promise<InnerServer> {
  const directory = await mkdtemp(join(tmpdir(), 'pandotate-gateway-'))
  const socketPath = join(directory, 'primary')
  const { unparsed } = parts
  // Connections were already counted where callers connected.
  const counted = unparsed === undefined ? {} : { unparsed }
  const server = await listen(asAsked(listener), { host: `unix:${socketPath}`, port: 0 }, counted)
  return {
    ...server,
    socketPath,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Each connection carries one request, and counts as the connection of the worker's caller. */
function asAsked(listener: RequestListener): RequestListener {
  return (request, response) => {
    const [scheme, address = ''] = String(request.headers[callerHeader] ?? '').split(' ')
    delete request.headers[callerHeader]
    Object.defineProperty(request.socket, 'remoteAddress', { value: address, configurable: true })
    if (scheme === 'https') Object.defineProperty(request.socket, 'encrypted', { value: true })
    listener(request, response)
  }
}
