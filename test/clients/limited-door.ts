import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * Refuses the first two requests of each path with a 429, forwards the third, and starts over. The second refusal alone
 * tells when to come back.
 */
export type LimitedDoor = AsyncDisposable & { readonly origin: string }

/** What lies behind the door answers as the model `sim-echo`. */
export async function openLimitedDoor(behind: string): Promise<LimitedDoor> {
  const refused = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    const body = await bodyFor('sim-echo', request)
    const count = refused.get(path) ?? 0
    if (count < 2) {
      refused.set(path, count + 1)
      if (count === 1) response.setHeader('retry-after', '1')
      response.writeHead(429, { 'content-type': 'application/json' }).end(refusal)
      return
    }
    refused.delete(path)
    const { authorization = '' } = request.headers
    const headers = { 'content-type': 'application/json', authorization }
    const answer = await fetch(behind + path, { method: 'POST', headers, body })
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const refusal = JSON.stringify({
  error: {
    message: 'Rate limit reached.',
    type: 'requests',
    param: null,
    code: 'rate_limit_exceeded',
  },
})

async function bodyFor(model: string, request: IncomingMessage): Promise<string> {
  return JSON.stringify({ ...JSON.parse((await buffer(request)).toString()), model })
}
