import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { networkOf } from '../../../src/http/call/key-brake.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'

const key = 'sk-right-0123456789'

describe('a brake on wrong keys', () => {
  test('has them wait from the hundredth on, and never the right one', async () => {
    await using gateway = await startTestGateway({ keys: [key] })
    const statuses: number[] = []
    for (let guess = 0; guess < 130; guess++) {
      statuses.push((await models(gateway, `sk-guess-${guess}-0123456789`)).status)
      if (guess % 20 === 0) expect((await models(gateway, key)).status).toBe(200)
    }
    expect(statuses.slice(0, 100)).toEqual(Array(100).fill(401))
    expect(statuses.at(-1)).toBe(429)
    const answer = await models(gateway, 'sk-guess-again-0123456789')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await answer.json()).toMatchObject({ error: { code: 'too_many_wrong_keys' } })
    expect((await models(gateway, key)).status).toBe(200)
    const call = await fetch(`${gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sim-echo', prompt: 'x' }),
    })
    expect(call.status).toBe(200)
  })

  test('counts no request without a key', async () => {
    await using gateway = await startTestGateway({ keys: [key] })
    for (let request = 0; request < 130; request++) {
      expect((await models(gateway, undefined)).status).toBe(401)
    }
  })

  test('counts callers behind a proxy by their own addresses, where the proxy is trusted', async () => {
    await using gateway = await startTestGateway({ keys: [key], trustProxy: 1 })
    const guess = (from: string) => models(gateway, 'sk-guess-0123456789', { 'x-forwarded-for': from })
    for (let request = 0; request < 130; request++) await guess('192.0.2.1')
    expect((await guess('192.0.2.1')).status).toBe(429)
    expect((await guess('192.0.2.2')).status).toBe(401)
  })

  test.for<readonly [string, string]>([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s counts as %s', ([address, network]) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('connections', () => {
  const limits = { ...simulatorConfig.limits, connections: 8, connectionsPerAddress: 4 }

  test('of strangers are so many for one address, and those of callers who were let in do not count', async () => {
    await using gateway = await startTestGateway({ keys: [key], limits })
    const known = await callers(gateway, 2)
    const strangers = await opened(gateway, 6)
    await until(() => strangers.filter(({ destroyed }) => destroyed).length === 2)
    // Others are served from another address.
    const other = connect({ port: portOf(gateway), host: '127.0.0.1', localAddress: '127.0.0.2' })
    other.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
    expect(String((await once(other, 'data'))[0])).toContain('200 OK')
    for (const socket of [...known, ...strangers, other]) socket.destroy()
  })

  test('are so many in all', async () => {
    await using gateway = await startTestGateway({ limits: { ...limits, connectionsPerAddress: 100 } })
    const sockets = await opened(gateway, 12)
    await until(() => sockets.filter(({ destroyed }) => destroyed).length === 4)
    for (const socket of sockets) socket.destroy()
    await until(async () => (await fetch(`${gateway.url}/livez`).catch(() => undefined))?.status === 200)
  })

  test('of a trusted proxy are not counted for its address', async () => {
    await using gateway = await startTestGateway({ limits, trustProxy: 1 })
    const sockets = await opened(gateway, 8)
    await fetch(`${gateway.url}/livez`).catch(() => undefined)
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([])
    for (const socket of sockets) socket.destroy()
  })

  test('that come in a burst of two thousand are all answered', async () => {
    await using gateway = await startTestGateway()
    const answered = await Promise.all(
      Array.from({ length: 2000 }, async () => {
        const socket = connect(portOf(gateway), '127.0.0.1')
        socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
        let text = ''
        for await (const piece of socket) text += String(piece)
        return text.startsWith('HTTP/1.1 200')
      }),
    )
    expect(answered.every(Boolean)).toBe(true)
  })
})

function models({ url }: TestGateway, bearer: string | undefined, headers: Record<string, string> = {}) {
  const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
  return fetch(`${url}/v1/models`, { headers: { ...authorization, ...headers } })
}

function portOf({ url }: TestGateway): number {
  return Number(new URL(url).port)
}

async function opened(gateway: TestGateway, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(portOf(gateway), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    return socket
  })
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

/** Connections on which a call with the key was answered. */
async function callers(gateway: TestGateway, count: number): Promise<readonly Socket[]> {
  const sockets = await opened(gateway, count)
  const body = JSON.stringify({ model: 'sim-echo', prompt: 'x' })
  for (const socket of sockets) {
    socket.write(
      `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await once(socket, 'data')
  }
  return sockets
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate)
}
