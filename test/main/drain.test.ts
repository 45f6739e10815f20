import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openaiCompatible } from '../../src/providers/openai/openai-compatible.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startRawServer, streamHead } from '../harness/raw-server.ts'
import { asJson } from './upstreams/asking.ts'

/** Longer than any test takes. */
const never = { delayMs: 3_600_000, graceMs: 7_200_000 }

const endless = { model: 'sim-long-100000-drip-5', stream: true }
const silent = { model: 'sim-stall-0', prompt: 'x' }

describe('while load balancers are given time to notice', () => {
  test('it is not ready, is alive, and serves', async () => {
    await using gateway = await startTestGateway()
    const stopping = gateway.gateway.stop(never)
    expect(await look(gateway, '/readyz')).toEqual([503, { status: 'draining' }])
    expect(await look(gateway, '/health')).toEqual([503, expect.objectContaining({ status: 'draining' })])
    expect(await look(gateway, '/livez')).toEqual([200, { status: 'ok' }])
    const answer = await ask(gateway, '/v1/completions', { model: 'sim-echo', prompt: 'x' })
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    gateway.gateway.hurry()
    await stopping
  })

  test('a call that came before also has its connection closed', async () => {
    await using gateway = await startTestGateway()
    const asking = ask(gateway, '/v1/completions', { model: 'sim-slow-300-echo', prompt: 'x' })
    await begun(gateway)
    await gateway.gateway.stop({ delayMs: 0, graceMs: 60_000 })
    const answer = await asking
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
  })
})

test('a connection on which nothing was ever asked is waited for by nobody', async () => {
  await using gateway = await startTestGateway()
  const { port } = new URL(gateway.url)
  const idle = connect(Number(port), '127.0.0.1')
  await once(idle, 'connect')
  await look(gateway, '/livez')
  const closed = once(idle, 'close')
  await gateway.gateway.stop({ delayMs: 0, graceMs: 3_600_000 })
  await closed
})

test('once it drains, a call on an open connection is refused, and what is running is finished', async () => {
  await using gateway = await startTestGateway()
  const caller = openCaller(gateway)
  caller.socket.write(written({ model: 'sim-long-3-drip-50', prompt: 'x', stream: true }))
  // Its headers are out: the connection is one that is kept.
  await caller.heard('data: ')
  const stopping = gateway.gateway.stop({ delayMs: 0, graceMs: 60_000 })
  caller.socket.write(written({ model: 'sim-echo', prompt: 'x' }))
  await stopping
  const [first = '', second = ''] = (await caller.all).split(/(?=HTTP\/1\.1 503)/)
  expect(first).toContain('data: [DONE]')
  expect(second).toMatch(/^retry-after: 1\r$/im)
  expect(second).toMatch(/^connection: close\r$/im)
  expect(second).toContain('"code":"gateway_draining"')
  await expect(look(gateway, '/livez')).rejects.toThrow()
})

test('an answer that is written, and still being read, is not cut off when it drains', async () => {
  await using gateway = await startTestGateway()
  const caller = openCaller(gateway)
  caller.socket.write(written({ model: 'sim-echo', prompt: longPrompt }))
  await caller.heard('content-length: ')
  caller.socket.pause()
  await gateway.recorded()
  const stopping = gateway.gateway.stop({ delayMs: 0, graceMs: 60_000 })
  // Longer than it takes to look for idle connections.
  await setTimeout(250)
  caller.socket.resume()
  const [head = '', body = ''] = (await caller.all).split('\r\n\r\n')
  expect(body).toHaveLength(Number(/content-length: (\d+)/.exec(head)?.[1]))
  await stopping
})

describe('what is not finished in time', () => {
  const openAiError = {
    error: {
      message: 'The gateway is shutting down.',
      type: 'service_unavailable_error',
      param: null,
      code: 'gateway_draining',
    },
  }

  test.for<[string, object, unknown]>([
    ['/v1/completions', { prompt: 'x' }, openAiError],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }, openAiError],
    [
      '/v1/messages',
      { messages: [{ role: 'user', content: 'x' }], max_tokens: 1000 },
      { type: 'error', error: { message: 'The gateway is shutting down.' } },
    ],
    ['/v1/responses', { input: 'x' }, { type: 'error', code: 'gateway_draining' }],
    ['/inference', { prompt: 'x' }, { error: 'The gateway is shutting down.', provider: 'simulator' }],
  ])('is told so in its stream: %s', async ([path, body, error]) => {
    await using gateway = await startTestGateway()
    const response = await ask(gateway, path, { ...endless, ...body })
    const reading = response.text()
    await gateway.gateway.stop({ delayMs: 0, graceMs: 50 })
    const frames = (await reading).trimEnd().split('\n\n')
    const last = /^data: (.*)$/m.exec(frames.at(-1) ?? '')?.[1] ?? 'null'
    expect(JSON.parse(last)).toMatchObject(Object(error))
    expect(frames.filter((frame) => frame === frames.at(-1))).toHaveLength(1)
    expect(frames.join('')).not.toContain('[DONE]')
    expect(frames.join('')).not.toMatch(/"finish_reason":"/)
    expect(await gateway.recorded()).toMatchObject({
      failure: { kind: 'draining' },
      attempts: [{ outcome: 'draining' }],
    })
  })

  test('is refused where nothing of the answer was sent', async () => {
    await using gateway = await startTestGateway()
    const asking = ask(gateway, '/v1/completions', silent)
    await begun(gateway)
    await gateway.gateway.stop({ delayMs: 0, graceMs: 50 })
    const answer = await asking
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await answer.json()).toEqual(openAiError)
    expect(gateway.records).toMatchObject([{ status: 503, failure: { kind: 'draining' } }])
  })

  test('is ended at once when there is a hurry', async () => {
    await using gateway = await startTestGateway()
    const streaming = await ask(gateway, '/v1/completions', { ...endless, prompt: 'x' })
    const asking = ask(gateway, '/v1/completions', silent)
    await begun(gateway, 2)
    const stopping = gateway.gateway.stop(never)
    gateway.gateway.hurry()
    expect(await streaming.text()).toMatch(/"code":"gateway_draining"/)
    expect((await asking).status).toBe(503)
    await stopping
  })

  test('is cut off when its caller does not read', async () => {
    await using gateway = await startTestGateway()
    const caller = openCaller(gateway)
    caller.socket.write(written({ model: 'sim-echo', prompt: longPrompt, stream: true }))
    await caller.heard('data: ')
    caller.socket.pause()
    await gateway.gateway.stop({ delayMs: 0, graceMs: 50 })
    caller.socket.destroy()
    expect(await gateway.recorded()).toMatchObject({ failure: { kind: 'draining' } })
  })
})

test('a call that is read on after the caller left is in the log before the gateway has stopped', async () => {
  await using server = await startRawServer((socket) => socket.write(streamHead()))
  const parsed = openaiCompatible.settings.parse({ baseUrl: server.origin, onAbort: 'drain' })
  await using gateway = await startTestGateway({
    providers: [{ name: 'up', type: 'openai-compatible', settings: parsed }],
    routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'up' }] }],
    demo: false,
  })
  const caller = openCaller(gateway)
  caller.socket.write(written({ model: 'm', prompt: 'x' }))
  await server.arrival(1)
  caller.socket.destroy()
  // Asked after it, and answered after it was noticed.
  await look(gateway, '/livez')
  await gateway.gateway.stop({ delayMs: 0, graceMs: 50 })
  expect(gateway.records).toMatchObject([{ outcome: 'left' }])
  expect(gateway.logged()).toContain('"msg":"call"')
})

function ask({ url }: TestGateway, path: string, body: object): Promise<Response> {
  return fetch(url + path, asJson(body))
}

async function look({ url }: TestGateway, path: string): Promise<[number, unknown]> {
  const response = await fetch(url + path)
  return [response.status, await response.json()]
}

/** Resolves once so many attempts are running. */
async function begun({ url }: TestGateway, count = 1): Promise<void> {
  const inFlight = async () => {
    const response = await fetch(`${url}/admin/api/deployments`)
    const { data } = (await response.json()) as { data: { in_flight: number }[] }
    return data[0]?.in_flight ?? 0
  }
  while ((await inFlight()) < count);
}

/** More than the system takes off a writer's hands. */
const longPrompt = `${'w'.repeat(999)} `.repeat(16_000)

/** A connection of its own, on which nothing is read but what has been heard. */
function openCaller({ url }: TestGateway) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let heard = ''
  socket.setEncoding('utf8').on('data', (piece) => {
    heard += piece
  })
  return {
    socket,
    /** Resolves once this was heard. */
    async heard(words: string): Promise<void> {
      while (!heard.includes(words)) await once(socket, 'data')
    },
    all: once(socket, 'close').then(() => heard),
  }
}

/** A call as it goes over the wire, on a connection that is kept. */
function written(body: object): string {
  const content = JSON.stringify(body)
  return (
    'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
    `content-length: ${content.length}\r\n\r\n${content}`
  )
}
