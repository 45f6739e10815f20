import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { type GatewayProcess, startGateway, workersOf } from '../test/acceptance/gateway-process.ts'
import { residentBytes } from './setup/process-usage.ts'

/** How much memory is resident of a new gateway, at rest and with open streams: one process, and two workers. */
export async function tellMemory(): Promise<void> {
  const upstream = createServer((asked, answer) => {
    asked.resume()
    asked.on('end', () => answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(firstEvent))
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as AddressInfo
  for (const workers of [1, 2]) await tellOf(workers, `http://127.0.0.1:${port}/v1`)
  upstream.closeAllConnections()
  upstream.close()
}

const message = { index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }
const firstChunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }
const firstEvent = `data: ${JSON.stringify({ ...firstChunk, choices: [message] })}\n\n`

async function tellOf(workers: number, baseUrl: string): Promise<void> {
  const upstream = { type: 'openai-compatible', baseUrl, apiKey: 'sk-upstream-key', concurrency: 10_000 }
  const gateway = await startGateway({
    environment: { WORKERS: String(workers) },
    file: JSON.stringify({
      ...{ catalog: { lists: false }, log: { level: 'warn' } },
      providers: { upstream: { ...upstream, clocks: { idleMs: 600_000 } } },
      models: { m: { deployments: [{ provider: 'upstream' }] } },
    }),
  })
  const told: string[] = []
  for (const streams of [0, 1000, 2000]) {
    if (streams > 0) for (let at = 0; at < 10; at++) await openStreams(gateway, 100)
    await setTimeout(restMs)
    const resident = [gateway.pid, ...workersOf(gateway)].map((pid) =>
      Math.round(residentBytes(pid) / 2 ** 20),
    )
    told.push(`${streams}: ${resident.join(' + ')}`)
  }
  const name = workers === 1 ? 'one process' : `a primary and ${workers} workers`
  console.log(`${`memory, ${name}`.padEnd(40)} MiB resident with so many open streams: ${told.join('; ')}`)
  gateway.kill()
  await gateway.ended
}

/** What is done once, after a start and after many calls, is done. */
const restMs = 2000

async function openStreams({ url }: GatewayProcess, count: number): Promise<void> {
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
  const open = async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const headers = { 'content-type': 'application/json' }
    const sent = request(
      `${url}/v1/chat/completions`,
      { method: 'POST', agent: false, headers },
      (answer) => {
        // Each ends with its gateway.
        answer.on('error', () => undefined)
        answer.once('data', () => resolve())
      },
    )
    sent.on('error', reject)
    sent.end(body)
    await promise
  }
  await Promise.all(Array.from({ length: count }, open))
}
