import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { chunk, lastChunk, startRawServer, streamHead } from '../harness/raw-server.ts'
import { ask, done, event, reading, servedBy } from '../harness/upstreams.ts'

const whole = streamHead() + chunk(event('Whole.', 'stop') + done) + lastChunk
const silent = () => undefined

/** Resolves once so many have gone into the gateway. */
async function under(url: string, calls: number): Promise<void> {
  while (true) {
    const text = await (await fetch(`${url}/metrics`)).text()
    if (text.includes(`pandotate_calls_in_flight ${calls}\n`)) return
  }
}

describe('an upstream that may run one call at once', () => {
  test('gets the next when the first is over, in the order of coming', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], {}, { concurrency: 1 }))
    const first = ask(gateway.url)
    await server.arrival(1)
    const second = ask(gateway.url)
    await under(gateway.url, 2)
    expect([server.requests.length, server.connections]).toEqual([1, 1])
    server.requests[0]?.socket.write(whole)
    expect(await (await first).text()).toContain('Whole.')
    const { socket } = await server.arrival(2)
    socket.write(whole)
    expect(await (await second).text()).toContain('Whole.')
    const { attempts } = await gateway.recorded(2)
    expect(attempts).toMatchObject([{ outcome: 'ok', queuedMs: expect.any(Number) }])
  })

  test('is passed by when its turn does not come in time', async () => {
    await using one = await startRawServer(silent)
    await using other = await startRawServer((socket) => socket.write(whole))
    const limits = { concurrency: 1, queueMs: 20 }
    await using gateway = await startTestGateway(servedBy([one, other], {}, limits))
    const first = ask(gateway.url)
    const { socket } = await one.arrival(1)
    expect(await (await ask(gateway.url)).text()).toContain('Whole.')
    const { attempts } = await gateway.recorded()
    expect(attempts.map(({ deployment, outcome }) => [deployment, outcome])).toEqual([
      ['m@up0', 'busy'],
      ['m@up1', 'ok'],
    ])
    socket.write(whole)
    await (await first).text()
    expect([one.requests.length, other.requests.length]).toEqual([1, 1])
    const deployments = await (await fetch(`${gateway.url}/admin/api/deployments`)).json()
    expect(JSON.stringify(deployments)).not.toMatch(/"(?:failed|limited)":[1-9]/)
  })

  test('tells callers to come back, when there is no other and too many wait', async () => {
    await using server = await startRawServer(silent)
    const limits = { concurrency: 1, queueLimit: 0 }
    await using gateway = await startTestGateway(servedBy([server], {}, limits))
    const first = reading(await firstToken(gateway.url, server))
    const response = await ask(gateway.url)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_busy' } })
    server.requests[0]?.socket.write(chunk(event('.', 'stop') + done) + lastChunk)
    await first.rest()
  })

  test('is not asked for a caller who leaves the queue', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], {}, { concurrency: 1 }))
    const first = ask(gateway.url)
    const { socket } = await server.arrival(1)
    const caller = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    const headers = 'host: localhost\r\ncontent-type: application/json\r\ncontent-length: 28'
    caller.write(`POST /v1/completions HTTP/1.1\r\n${headers}\r\n\r\n{"model":"m","prompt":"Hi."}`)
    await under(gateway.url, 2)
    caller.destroy()
    expect(await gateway.recorded()).toMatchObject({ status: 499, outcome: 'left', attempts: [] })
    socket.write(whole)
    await (await first).text()
    expect(server.requests.length).toBe(1)
  })
})

/** A stream whose first token has come. */
async function firstToken(
  url: string,
  server: Awaited<ReturnType<typeof startRawServer>>,
): Promise<Response> {
  const asked = ask(url)
  const { socket } = await server.arrival(1)
  socket.write(streamHead() + chunk(event('Half')))
  return await asked
}
