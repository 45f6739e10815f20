import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createRecorder } from '../../../../src/core/account/recorder.ts'
import { EventStream } from '../../../../src/http/call/answer/event-stream.ts'
import { startTestGateway } from '../../../harness/gateway.ts'
import { answer, chunk, lastChunk, startRawServer, streamHead } from '../../../harness/raw-server.ts'
import { ask, done, event, reading, servedBy } from '../../../harness/upstreams.ts'

const comment = ': keepalive\n\n'
const often = { keepaliveMs: 20 }
const silent = () => undefined
const clock = { now: () => performance.now(), epochMs: () => Date.now() }
const busy = answer('{"error":{"message":"busy"}}', { status: 503 })

describe('while the first token does not come', () => {
  test('the caller gets the status and comments, and then the whole answer', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], often))
    const response = await ask(gateway.url)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
    // Who will answer is not known yet.
    expect(response.headers.has('x-pandotate-provider')).toBe(false)
    const caller = reading(response)
    await caller.until(comment, 3)
    const { socket } = await server.arrival(1)
    socket.write(streamHead())
    socket.write(chunk(event('Hello.', 'stop') + done) + lastChunk)
    const text = await caller.rest()
    expect(text).toMatch(/^(?:: keepalive\n\n)+data: .*"Hello\."[\s\S]*data: \[DONE\]\n\n$/)
    const row = await gateway.recorded()
    expect(row).toMatchObject({ status: 200, outcome: 'ok', provider: 'up0' })
    expect(row.responseBytes).toBe(Buffer.byteLength(text))
    expect(row.overheadMs).toBeGreaterThan(0)
    expect(row.overheadMs).toBeLessThan(row.totalMs)
  })

  test('it still goes elsewhere, unseen, when that place fails', async () => {
    await using first = await startRawServer(silent)
    await using second = await startRawServer((socket) =>
      socket.write(streamHead() + chunk(event('There.', 'stop') + done) + lastChunk),
    )
    await using gateway = await startTestGateway(servedBy([first, second], often))
    const caller = reading(await ask(gateway.url))
    await caller.until(comment)
    const { socket } = await first.arrival(1)
    socket.write(busy)
    const text = await caller.rest()
    expect(text).toContain('"There."')
    expect(text).not.toContain('error')
    const { status, outcome, attempts } = await gateway.recorded()
    expect([status, outcome, attempts.map((each) => each.outcome)]).toEqual([200, 'ok', ['overloaded', 'ok']])
  })

  test('and when nobody can, the error is reported in the stream, once, and nothing after it', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], often))
    const caller = reading(await ask(gateway.url))
    await caller.until(comment)
    const { socket } = await server.arrival(1)
    socket.write(busy)
    const text = await caller.rest()
    const [error = '', ...rest] = text.replaceAll(comment, '').split('\n\n').filter(Boolean)
    expect(JSON.parse(error.replace('data: ', '')).error).toMatchObject({ code: 'server_is_overloaded' })
    expect(rest).toEqual([])
    expect(await gateway.recorded()).toMatchObject({
      status: 200,
      outcome: 'failed',
      failure: { kind: 'overloaded' },
    })
  })

  test('a caller who leaves takes the upstream’s work with them', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], often))
    const leaving = new AbortController()
    const caller = reading(await ask(gateway.url, { signal: leaving.signal }))
    await caller.until(comment)
    leaving.abort()
    await server.idle()
    expect(await gateway.recorded()).toMatchObject({ status: 499, outcome: 'left' })
  })

  test('an error that comes in time has its own status', async () => {
    await using server = await startRawServer((socket) => socket.write(busy))
    await using gateway = await startTestGateway(servedBy([server]))
    const response = await ask(gateway.url)
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'application/json'])
    expect(await gateway.recorded()).toMatchObject({ status: 503, outcome: 'failed' })
  })
})

describe('while an answer that has begun is silent', () => {
  async function halfAnswered(keepaliveMs: number) {
    const server = await startRawServer((socket) => socket.write(streamHead() + chunk(event('Half'))))
    const gateway = await startTestGateway(servedBy([server], { keepaliveMs }))
    const response = await ask(gateway.url)
    const caller = reading(response)
    await caller.until('Half')
    return { server, gateway, response, caller, socket: (await server.arrival(1)).socket }
  }

  test('comments keep the connection alive', async () => {
    const { server, gateway, response, caller, socket } = await halfAnswered(50)
    await using _server = server
    await using _gateway = gateway
    await caller.until(comment, 2)
    expect(response.headers.get('x-pandotate-provider')).toBe('up0')
    socket.write(chunk(event(' more.', 'stop') + done) + lastChunk)
    expect(await caller.rest()).toMatch(
      /Half.*\n\n(?:: keepalive\n\n){2,}data: .* more\.[\s\S]*\[DONE\]\n\n$/,
    )
    expect(await gateway.recorded()).toMatchObject({ status: 200, outcome: 'ok' })
  })

  test('there are none where they are off', async () => {
    // The other stream's comments show that time went by.
    const off = await halfAnswered(0)
    const on = await halfAnswered(50)
    await using stack = new AsyncDisposableStack()
    for (const { server, gateway } of [off, on]) {
      stack.use(server)
      stack.use(gateway)
    }
    await on.caller.until(comment, 3)
    off.socket.write(chunk(event(' more.', 'stop') + done) + lastChunk)
    expect(await off.caller.rest()).not.toContain(comment)
    on.socket.destroy()
  })
})

describe('where comments alone would be too little', () => {
  const silence = '"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}]'
  const soon = { keepaliveMs: 20, heartbeatMs: 50 }

  test('an event that says nothing comes, before the answer and within it, all of one id', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], soon))
    const response = await ask(gateway.url)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    const caller = reading(response)
    const before = await caller.until(silence, 2)
    expect(before.indexOf(comment)).toBeLessThan(before.indexOf(silence))
    const { socket } = await server.arrival(1)
    socket.write(streamHead() + chunk(event('Half')))
    const half = await caller.until('Half')
    await caller.until(silence, half.split(silence).length)
    socket.write(chunk(event(' more.', 'stop') + done) + lastChunk)
    const text = await caller.rest()
    const chunks = text.split('\n\n').filter((frame) => frame.startsWith('data: {'))
    const told = chunks.map((frame) => JSON.parse(frame.slice('data: '.length)))
    expect(new Set(told.map(({ id, created }) => `${id} ${created}`)).size).toBe(1)
    expect(told.map(({ choices }) => choices[0].delta.content ?? '').join('')).toBe('Half more.')
    const row = await gateway.recorded()
    expect(row).toMatchObject({ status: 200, outcome: 'ok', responseBytes: Buffer.byteLength(text) })
    // What says nothing is no first token.
    expect(row.firstTokenMs).toBeGreaterThanOrEqual(soon.heartbeatMs)
  })

  test('it comes without comments, where those are off', async () => {
    await using server = await startRawServer(silent)
    await using gateway = await startTestGateway(servedBy([server], { keepaliveMs: 0, heartbeatMs: 20 }))
    const caller = reading(await ask(gateway.url))
    const text = await caller.until(silence, 2)
    expect(text).not.toContain(comment)
    const { socket } = await server.arrival(1)
    socket.write(busy)
    const [error = ''] = (await caller.rest()).split('\n\n').filter((frame) => frame.includes('error'))
    expect(error).toContain('server_is_overloaded')
  })

  test('it does not come where it is off, and not while there are others', async () => {
    await using off = await startRawServer(silent)
    await using talking = await startRawServer((socket) => socket.write(streamHead() + chunk(event('One'))))
    await using without = await startTestGateway(servedBy([off], { keepaliveMs: 5, heartbeatMs: 0 }))
    await using with_ = await startTestGateway(servedBy([talking], { keepaliveMs: 5, heartbeatMs: 60_000 }))
    const [silentCaller, caller] = [reading(await ask(without.url)), reading(await ask(with_.url))]
    expect(await silentCaller.until(comment, 20)).not.toContain('data:')
    expect((await caller.until(comment, 20)).split('data:')).toHaveLength(2)
  })

  test('it is not made for a caller who does not read: it would be numbered, and never come', async () => {
    const beats = { blocked: 0, free: 0 }
    const ended = Promise.withResolvers<void>()
    await using stack = new AsyncDisposableStack()
    const server = createServer((request, response) => {
      const who = request.url === '/blocked' ? 'blocked' : 'free'
      const record = stack.use(createRecorder([], clock, 1000).open('req_1', 'chat'))
      const limits = { keepaliveMs: 0, heartbeatMs: 5, writeStallMs: 60_000 }
      const idle = () => {
        beats[who]++
        if (beats.free > 5) ended.resolve()
        return 'data: {}\n\n'
      }
      const parts = { response, record, limits, idle, signal: new AbortController().signal }
      const events = stack.use(new EventStream(parts))
      events.begin()
      // More than the sockets hold between them.
      if (who === 'blocked') events.write('x'.repeat(64_000_000))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    stack.defer(() => void server.close())
    stack.defer(() => server.closeAllConnections())
    const { port } = server.address() as AddressInfo
    for (const path of ['/blocked', '/free']) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      stack.defer(() => void socket.destroy())
      if (path === '/blocked') socket.pause()
      else socket.resume()
      socket.write(`GET ${path} HTTP/1.1\r\nhost: gateway\r\n\r\n`)
    }
    await ended.promise
    expect(beats.blocked).toBe(0)
  })
})
