import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { watchRest, whenDrained } from '../../../../src/http/call/answer/write-stall.ts'
import { startTestGateway } from '../../../harness/gateway.ts'
import { chunk, startRawServer, streamHead } from '../../../harness/raw-server.ts'
import { event, servedBy } from '../../../harness/upstreams.ts'

/** A server whose every response is the test's to write. */
async function startServer(respond: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => respond(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A caller who has asked, and reads nothing of the answer unless told to. */
function aCaller(port: number, request: string): Socket & Disposable {
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  // To be hung up on is what most of these tests are about.
  socket.on('error', () => undefined)
  socket.write(request)
  return Object.assign(socket, { [Symbol.dispose]: () => socket.destroy() })
}

const get = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'
const muchBytes = 32 * 1024 * 1024
const never = new AbortController().signal

describe('a caller who takes nothing', () => {
  test('is hung up on, once that is reported', async () => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>()
    await using server = await startServer(resolve)
    using _caller = aCaller(server.port, get)
    const response = await promise
    const left = new AbortController()
    response.once('close', () => left.abort(new Error('left')))
    expect(response.write(Buffer.alloc(muchBytes))).toBe(false)
    const told: boolean[] = []
    const drained = whenDrained(response, left.signal, 50, () => told.push(response.destroyed))
    await expect(drained).rejects.toThrow('left')
    expect(told).toEqual([false])
    expect(response.listenerCount('timeout') + response.listenerCount('drain')).toBe(0)
  })

  test('of an answer that is written to its end is hung up on too', async () => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>()
    await using server = await startServer(resolve)
    using _caller = aCaller(server.port, get)
    const response = await promise
    response.end(Buffer.alloc(muchBytes))
    watchRest(response, 50)
    await once(response, 'close')
    expect(response.writableFinished).toBe(false)
  })

  test('has their stream’s upstream given up, and the record says why', async () => {
    const text = event('x'.repeat(60_000))
    await using upstream = await startRawServer((socket) => {
      const pump = () => {
        while (!socket.destroyed && socket.write(chunk(text)));
      }
      socket.on('drain', pump)
      socket.write(streamHead())
      pump()
    })
    await using gateway = await startTestGateway(servedBy([upstream], { writeStallMs: 100 }))
    using _caller = aCaller(Number(new URL(gateway.url).port), streamRequest)
    const row = await gateway.recorded()
    expect(row).toMatchObject({ status: 499, outcome: 'left', failure: { kind: 'caller_left' } })
    expect([...row.flags]).toEqual(['write_stalled'])
    expect(row.attempts.map(({ outcome }) => outcome)).toEqual(['caller_left'])
    await upstream.idle()
  })

  test('of a JSON answer holds its connection no longer than that', async () => {
    const content = 'x'.repeat(muchBytes)
    const reply = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [choiceOf(content)] }
    const body = JSON.stringify(reply)
    await using upstream = await startRawServer((socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    )
    await using gateway = await startTestGateway(servedBy([upstream], { writeStallMs: 100 }))
    using _caller = aCaller(Number(new URL(gateway.url).port), jsonRequest)
    expect(await gateway.recorded()).toMatchObject({ status: 200, outcome: 'ok' })
    // It would wait for the connection as long as this.
    await gateway.gateway.stop({ graceMs: 3_600_000 })
  })
})

test('a slow reader still reads: each read restarts the clock', async () => {
  const stallMs = 400
  const { promise, resolve } = Promise.withResolvers<ServerResponse>()
  await using server = await startServer(resolve)
  using caller = aCaller(server.port, get)
  const response = await promise
  response.write(Buffer.alloc(muchBytes))
  let stalled = false
  const drained = whenDrained(response, never, stallMs, () => {
    stalled = true
  })
  let sips = 0
  const sipping = setInterval(() => {
    sips++
    caller.read(1024 * 1024) ?? caller.read()
  }, stallMs / 10)
  try {
    await drained
  } finally {
    clearInterval(sipping)
  }
  expect(stalled).toBe(false)
  // Ten take as long as the clock: otherwise it would have been no slow reader.
  expect(sips).toBeGreaterThan(15)
})

test('a reader who continues is waited for no more: an answer may be silent after that', async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>()
  await using server = await startServer(resolve)
  using caller = aCaller(server.port, get)
  const response = await promise
  response.write(Buffer.alloc(muchBytes))
  const drained = whenDrained(response, never, 60_000, () => undefined)
  caller.resume()
  await drained
  expect(response.socket?.timeout).toBe(0)
})

function choiceOf(content: string) {
  return { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }
}

function post(body: unknown): string {
  const text = JSON.stringify(body)
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`
}

const asked = { model: 'm', messages: [{ role: 'user', content: 'Hi.' }] }
const jsonRequest = post(asked)
const streamRequest = post({ ...asked, stream: true })
