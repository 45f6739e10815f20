import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { chunk, lastChunk, type RawServer, startRawServer, streamHead } from '../../harness/raw-server.ts'
import { ask, done, event, reading, servedBy } from '../../harness/upstreams.ts'

/** A gateway with a stream in the middle of its answer. */
async function streaming(limits: Parameters<typeof servedBy>[1]) {
  const server = await startRawServer((socket) => socket.write(streamHead() + chunk(event('Half'))))
  const gateway = await startTestGateway(servedBy([server], limits))
  const caller = reading(await ask(gateway.url))
  await caller.until('Half')
  return {
    server,
    gateway,
    caller,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function finish(server: RawServer, hit: number): Promise<void> {
  const { socket } = await server.arrival(hit)
  socket.write(chunk(event(' and half.', 'stop') + done) + lastChunk)
}

async function expectShed(response: Response): Promise<void> {
  expect(response.status).toBe(503)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(3)
  expect(Number(response.headers.get('retry-after-ms'))).toBeGreaterThanOrEqual(1000)
  expect(await response.json()).toMatchObject({ error: { code: 'gateway_overloaded' } })
}

async function statusOf({ url }: TestGateway, path: string): Promise<number> {
  const response = await fetch(url + path)
  await response.arrayBuffer()
  return response.status
}

describe('at the limit of running calls', () => {
  test('another is turned away, and the stream that is open continues untouched', async () => {
    await using scene = await streaming({ inFlight: 1 })
    const { gateway, server, caller } = scene
    await expectShed(await ask(gateway.url))
    expect(server.requests.length).toBe(1)
    await finish(server, 1)
    expect(await caller.rest()).toMatch(/Half[\s\S]* and half\.[\s\S]*\[DONE\]\n\n$/)
    const [first, second] = [await gateway.recorded(1), await gateway.recorded(2)]
    expect(first).toMatchObject({ status: 503, outcome: 'failed', attempts: [], failure: { kind: 'shed' } })
    expect(second).toMatchObject({ status: 200, outcome: 'ok' })
    // There is room again.
    const next = reading(await ask(gateway.url))
    await next.until('Half')
    await finish(server, 2)
    await next.rest()
  })

  test('it is turned away before its body has come', async () => {
    await using scene = await streaming({ inFlight: 1 })
    const { gateway, caller, server } = scene
    using socket = dial(gateway.url)
    socket.write(headOf('content-length: 1000000'))
    expect(await heard(socket)).toMatch(/^HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*gateway_overloaded/i)
    await finish(server, 1)
    await caller.rest()
  })

  test('callers are told, and no other request is sent without effect', async () => {
    await using scene = await streaming({ inFlight: 1 })
    const { gateway, caller, server } = scene
    await expectShed(await ask(gateway.url))
    const paths = ['/livez', '/health', '/v1/models', '/admin/api/deployments', '/readyz']
    const statuses = await Promise.all(paths.map((path) => statusOf(gateway, path)))
    // Taking it out of service for that would move its load to the others.
    expect(statuses).toEqual([200, 200, 200, 200, 200])
    expect(await overloadOf(gateway)).toBe('in_flight')
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toContain('pandotate_calls_in_flight 1\n')
    expect(metrics).toContain('pandotate_shed_calls_total{reason="in_flight"} 1\n')
    expect(metrics).toMatch(/pandotate_in_flight_request_bytes [1-9]/)
    await finish(server, 1)
    await caller.rest()
    await gateway.recorded(2)
    expect(await overloadOf(gateway)).toBeNull()
  })
})

describe('at the limit of the bytes of requests', () => {
  test.for([
    ['a body that is too long, as far as it has come', 'content-length: 100000', ' '.repeat(60_000)],
    ['a body that grows too long', 'transfer-encoding: chunked', `186a0\r\n${' '.repeat(100_000)}\r\n`],
  ] as const)('%s', async ([, length, body]) => {
    await using scene = await streaming({ inFlightBytes: 50_000 })
    const { gateway, caller, server } = scene
    using socket = dial(gateway.url)
    socket.write(headOf(length) + body)
    expect(await heard(socket)).toMatch(/^HTTP\/1\.1 503 [\s\S]*gateway_overloaded/)
    expect((await gateway.recorded()).failure?.operatorNote).toBe('shed: in_flight_bytes')
    await finish(server, 1)
    expect(await caller.rest()).toContain('[DONE]')
  })
})

describe('under pressure', () => {
  test('of a full heap', async () => {
    const limits = { ...simulatorConfig.limits, heapShare: 0.0001 }
    await using scene = await streaming(limits)
    const { gateway, caller, server } = scene
    await expectShed(await ask(gateway.url))
    expect((await gateway.recorded()).failure?.operatorNote).toBe('shed: heap')
    await finish(server, 1)
    await caller.rest()
  })

  test('and never the only call, however full the heap and late the loop', async () => {
    const limits = { ...simulatorConfig.limits, loopDelayMs: 1, heapShare: 0.0001 }
    await using gateway = await startTestGateway({ limits })
    const block = new Int32Array(new SharedArrayBuffer(4))
    for (let turn = 0; turn < 12; turn++) {
      Atomics.wait(block, 0, 0, 60)
      await statusOf(gateway, '/livez')
    }
    expect((await ask(gateway.url)).status).toBe(200)
  })
})

async function overloadOf({ url }: TestGateway): Promise<unknown> {
  const { overload } = (await (await fetch(`${url}/health`)).json()) as { readonly overload: unknown }
  return overload
}

function dial(url: string): Socket & Disposable {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  return Object.assign(socket, { [Symbol.dispose]: () => socket.destroy() })
}

function headOf(length: string): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${length}\r\n\r\n`
}

/** What comes until the whole of an error has. */
async function heard(socket: Socket): Promise<string> {
  let text = ''
  while (!text.includes('}}')) {
    const [piece] = (await once(socket, 'data')) as [Buffer]
    text += piece.toString()
  }
  return text
}
