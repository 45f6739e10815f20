import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An upstream that answers every chat alike, and bills what it answered whether anybody hears it or not. */
export type BillingUpstream = AsyncDisposable & {
  readonly baseUrl: string
  /** So far, in whole nano-USD, at `billingPrice`. */
  billedNanoUsd(): number
}

/** USD per million tokens, as gateway.yaml has it. */
export const billingPrice = { input: 1, output: 2 } as const

export async function startBillingUpstream(): Promise<BillingUpstream> {
  let calls = 0
  const server = createServer({ keepAliveTimeout: keptMs }, (request, response) => {
    request.resume()
    request.on('end', () => {
      if (request.method !== 'POST') {
        response.writeHead(404).end()
        return
      }
      calls++
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    billedNanoUsd: () =>
      calls *
      (usage.prompt_tokens * 1000 * billingPrice.input +
        usage.completion_tokens * 1000 * billingPrice.output),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Longer than any test: an attempt on a connection that is just being closed would be uncertain. */
const keptMs = 600_000

const usage = { prompt_tokens: 7, completion_tokens: 11, total_tokens: 18 }

const answer = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', usage },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
})
