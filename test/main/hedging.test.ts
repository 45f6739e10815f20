import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

test.for([
  ['a stream that is slow to begin', true, '[DONE]'],
  ['a JSON answer that is slow to come', false, '"finish_reason":"stop"'],
] as const)('%s is had elsewhere, and the first one is given up', async ([, stream, whole]) => {
  await using first = await startUpstream()
  await using second = await startUpstream()
  await using gateway = await startTestGateway(hedgingOver(first.origin, second.origin))
  const ask = async () => {
    const response = await fetch(`${gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', stream, prompt: 'x' }),
    })
    return await response.text()
  }
  // So many have to be known before one can be called slow.
  for (let turn = 0; turn < 20; turn++) expect(await ask()).toContain(whole)
  first.isSilent = true
  expect(await ask()).toContain(whole)
  const record = await gateway.recorded(21)
  expect(record.attempts.map(({ deployment, outcome }) => [deployment, outcome])).toEqual([
    ['m@first', 'superseded'],
    ['m@second', 'ok'],
  ])
  expect([first.hits, second.hits]).toEqual([21, 1])
  await expect.poll(() => first.abandoned).toBe(1)
})

type HeldUpstream = AsyncDisposable & {
  readonly origin: string
  isSilent: boolean
  readonly hits: number
  readonly abandoned: number
}

/** One that answers a word at once, or nothing at all. */
async function startUpstream(): Promise<HeldUpstream> {
  const upstream = { isSilent: false, hits: 0, abandoned: 0 }
  const server: Server = createServer((request, response) => {
    upstream.hits++
    let asked = ''
    request.on('data', (piece: Buffer) => {
      asked += piece.toString()
    })
    if (upstream.isSilent) {
      response.on('close', () => {
        upstream.abandoned++
      })
      return
    }
    request.on('end', () => {
      const choices = [{ index: 0, text: 'word', finish_reason: 'stop' }]
      const reply = JSON.stringify({ id: 'c', object: 'text_completion', created: 1, model: 'm', choices })
      const isStream = asked.includes('"stream":true')
      response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
      response.end(isStream ? `data: ${reply}\n\ndata: [DONE]\n\n` : reply)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(upstream, {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function hedgingOver(first: string, second: string): Partial<Config> {
  const type = 'openai-compatible'
  const file = JSON.stringify({
    providers: { first: { type, baseUrl: `${first}/v1` }, second: { type, baseUrl: `${second}/v1` } },
    models: { m: { deployments: [{ provider: 'first' }, { provider: 'second' }] } },
    hedging: { enabled: true },
  })
  const config = loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml' },
    readFile: onlyFile(file),
    providers,
  })
  return { providers: config.providers, routes: config.routes, hedging: config.hedging, demo: false }
}
