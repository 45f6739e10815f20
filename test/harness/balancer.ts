import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Shares requests out over several gateways in turn, and leaves out those that cannot be reached. */
export type Balancer = AsyncDisposable & { readonly url: string }

export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  let turn = 0
  const server = createServer({ keepAliveTimeout: keptMs }, (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => void chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const first = turn++
      const send = (tries: number): void => {
        const url = urls[(first + tries) % urls.length]
        if (url === undefined || tries === urls.length) {
          fail(outgoing)
          return
        }
        const { method, headers, url: path = '/' } = incoming
        const sent = request(new URL(path, url), { method, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers))
          answer.pipe(outgoing)
          answer.on('error', () => outgoing.destroy())
        })
        sent.on('error', (error: NodeJS.ErrnoException) => {
          // Nothing was taken there: another may have it.
          if (error.code === 'ECONNREFUSED') send(tries + 1)
          else fail(outgoing)
        })
        sent.end(body)
      }
      send(0)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Longer than any test: a caller never sends on a connection that is just being closed. */
const keptMs = 600_000

/**
 * Without what is said of the connection to the gateway (RFC 9110 7.6.1): it would have callers keep theirs to the
 * balancer for longer than the balancer does.
 */
function endToEnd({ connection: _, 'keep-alive': __, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers
}

function fail(outgoing: ServerResponse): void {
  if (outgoing.headersSent) outgoing.destroy()
  else outgoing.writeHead(502).end()
}
