import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** An upstream that answers only as the test says, and sees when it is left. */
export type HeldUpstream = AsyncDisposable & {
  /** What PANDOTATE_URL has to be. */
  readonly url: string
  readonly requests: readonly HeldRequest[]
  /** Resolves when so many requests have come, their bodies read. */
  arrived(count: number): Promise<void>
  /** Resolves when so many were left before they had been answered. */
  left(count: number): Promise<void>
}

export type HeldRequest = { readonly authorization: string | undefined; readonly body: string }

export type Answer = (response: ServerResponse, request: HeldRequest) => void

/** Starts one. Without an answer it leaves every request waiting. */
export async function startHeldUpstream(answer: Answer = () => undefined): Promise<HeldUpstream> {
  const requests: HeldRequest[] = []
  let leavings = 0
  const watchers = new Set<() => void>()
  const wake = () => {
    for (const watcher of watchers) watcher()
  }
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!condition()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  const receive = async (incoming: IncomingMessage, response: ServerResponse) => {
    response.once('close', () => {
      if (!response.writableEnded) leavings++
      wake()
    })
    const request = { authorization: incoming.headers.authorization, body: await text(incoming) }
    requests.push(request)
    answer(response, request)
    wake()
  }
  const server = createServer((incoming, response) => void receive(incoming, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/inference`,
    requests,
    arrived: (count) => until(() => requests.length >= count),
    left: (count) => until(() => leavings >= count),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** An address of 127.0.0.1 where nothing listens. */
export async function deadUrl(): Promise<string> {
  const upstream = await startHeldUpstream()
  await upstream[Symbol.asyncDispose]()
  return upstream.url
}
