import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { requestHeaders } from '../../../src/providers/wire/wire.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import {
  answer,
  type Behaviour,
  chunk,
  lastChunk,
  startRawServer,
  streamed,
  streamHead,
} from '../../harness/raw-server.ts'
import { failureOf, openWire, post, readAll } from '../../harness/wire.ts'

test('a request carries the headers that were made for it, and no others', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}')))
  await using wire = openWire(server.origin)
  const reply = await post(wire, startAttempt(), '{"a":"ü"}')
  expect(await reply.text(100)).toBe('{}')
  const [request] = server.requests
  expect(request).toMatchObject({ method: 'POST', path: '/v1/x', body: '{"a":"ü"}' })
  expect(request?.headers).toEqual({
    host: server.origin.slice('http://'.length),
    connection: 'keep-alive',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
    'user-agent': 'tester/1',
    'x-request-id': 'req_0-0',
    authorization: 'Bearer k',
    'content-length': '10',
  })
})

test('extra headers are sent in lower case, and no authorization when there is none', () => {
  const headers = requestHeaders('t', undefined, { 'X-Session': '1' })
  expect(headers.slice(6)).toEqual(['user-agent', 't', 'x-session', '1'])
})

test('the attempt is told when the headers came, their status and the id', async () => {
  const headers = { 'x-request-id': 'req 1é<b>' }
  await using server = await startRawServer((socket) => socket.write(answer('{}', { status: 418, headers })))
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const reply = await post(wire, attempt)
  expect(reply.status).toBe(418)
  expect(attempt.notes).toMatchObject({ headersAt: 42, upstreamStatus: 418, upstreamRequestId: 'req1b' })
  expect(await reply.text(100)).toBe('{}')
})

test('a redirect is an answer like any other, and is not followed', async () => {
  const headers = { location: '/elsewhere' }
  await using server = await startRawServer((socket) => socket.write(answer('', { status: 307, headers })))
  await using wire = openWire(server.origin)
  const reply = await post(wire, startAttempt())
  expect(reply.status).toBe(307)
  expect(await reply.text(10)).toBe('')
  expect(server.requests).toHaveLength(1)
})

test('headers before the final ones are skipped', async () => {
  const early = Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(50))
  await using server = await startRawServer((socket) =>
    socket.write(Buffer.concat([early, answer('{"a":1}')])),
  )
  let looks = 0
  await using wire = openWire(server.origin, { clock: { now: () => ++looks, epochMs: () => 0 } })
  const attempt = startAttempt()
  const reply = await post(wire, attempt)
  expect(reply.status).toBe(200)
  expect(await reply.text(100)).toBe('{"a":1}')
  expect(attempt.notes).toMatchObject({ headersAt: 2, upstreamStatus: 200 })
  expect(looks).toBe(2)
})

test('a connection is used again, whether its answer was read, streamed or discarded at its end', async () => {
  await using server = await startRawServer((socket) => socket.write(streamed(['a', 'b', 'c'])))
  await using wire = openWire(server.origin, { connections: 1 })
  expect(await (await post(wire, startAttempt())).text(100)).toBe('abc')
  expect(await readAll((await post(wire, startAttempt())).chunks())).toBe('abc')
  for await (const _ of (await post(wire, startAttempt())).chunks()) break
  const last = await post(wire, startAttempt())
  last.discard()
  expect(await (await post(wire, startAttempt())).text(100)).toBe('abc')
  expect(server.connections).toBe(1)
  expect(server.requests).toHaveLength(5)
})

test('a request that was not sent yet outlives the idle connection it was to go by', async () => {
  await using server = await startRawServer((socket) => {
    socket.write(answer('{}'))
    setImmediate(() => socket.resetAndDestroy())
  })
  await using wire = openWire(server.origin, { connections: 1 })
  for (let turn = 0; turn < 50; turn++) {
    const reply = await post(wire, startAttempt())
    expect(await reply.text(100)).toBe('{}')
  }
  expect(server.requests).toHaveLength(50)
})

test('what is written one byte at a time arrives whole', async () => {
  const bytes = streamed(['{"text":"', 'Grüße 😀', '"}'])
  await using server = await startRawServer((socket) => {
    for (const byte of bytes) socket.write(Buffer.of(byte))
  })
  await using wire = openWire(server.origin)
  const reply = await post(wire, startAttempt())
  expect(await readAll(reply.chunks())).toBe('{"text":"Grüße 😀"}')
})

test('a body longer than the limit is refused and its connection dropped', async () => {
  await using server = await startRawServer((socket) => socket.write(streamHead() + chunk('x'.repeat(1000))))
  await using wire = openWire(server.origin)
  const failure = await failureOf(post(wire, startAttempt()).then((reply) => reply.text(999)))
  expect(failure).toMatchObject({ kind: 'invalid_response', provider: 'up', upstreamStatus: 200 })
  await server.idle()
})

test('a body longer than the limit is refused even if it is there already', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('x'.repeat(1000))))
  await using wire = openWire(server.origin)
  const failure = await failureOf(post(wire, startAttempt()).then((reply) => reply.text(999)))
  expect(failure.kind).toBe('invalid_response')
})

test('a body of exactly the limit is not', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('x'.repeat(1000))))
  await using wire = openWire(server.origin)
  expect(await (await post(wire, startAttempt())).text(1000)).toHaveLength(1000)
})

test.for(['gzip', 'br', 'gzip, gzip'])('a body in %s is refused unread', async (encoding) => {
  const headers = { 'content-encoding': encoding }
  await using server = await startRawServer((socket) => socket.write(answer('x'.repeat(1000), { headers })))
  await using wire = openWire(server.origin)
  const failure = await failureOf(post(wire, startAttempt()).then((reply) => reply.text(10_000)))
  expect(failure.kind).toBe('invalid_response')
  const reply = await post(wire, startAttempt())
  expect(() => reply.chunks()).toThrow(/compressed/)
})

test('an upstream that is ahead of its reader is made to wait', async () => {
  const piece = chunk('x'.repeat(64 * 1024))
  const pieces = 1024
  let written = 0
  const quiet = Promise.withResolvers<void>()
  await using server = await startRawServer((socket) => {
    // Nothing was taken for this long: it is not the network that is slow.
    const watch = setTimeout(quiet.resolve, 100)
    const fill = () => {
      watch.refresh()
      while (written < pieces) {
        written++
        if (!socket.write(piece)) return
      }
      clearTimeout(watch)
      quiet.resolve()
      socket.write(lastChunk)
    }
    socket.on('drain', fill)
    socket.write(streamHead())
    fill()
  })
  await using wire = openWire(server.origin)
  const reply = await post(wire, startAttempt())
  await quiet.promise
  expect(written).toBeLessThan(pieces / 2)
  let read = 0
  for await (const bytes of reply.chunks()) read += bytes.length
  expect(read).toBe(pieces * 64 * 1024)
})

test('what came in one read is handed on in one piece', async () => {
  await using server = await startRawServer((socket) => socket.write(streamed(Array(50).fill('data: x\n\n'))))
  await using wire = openWire(server.origin)
  const pieces: number[] = []
  for await (const piece of (await post(wire, startAttempt())).chunks()) pieces.push(piece.length)
  expect(pieces).toEqual([50 * 9])
})

test.for([
  ['closed', (socket: Socket) => socket.end()],
  ['reset', (socket: Socket) => socket.resetAndDestroy()],
] as const)(
  'a request on a connection that was used before and is %s is told as stale',
  async ([, close]) => {
    await using server = await startRawServer((socket, { body }) => {
      if (body === '"die"') close(socket)
      else socket.write(answer('{}'))
    })
    await using wire = openWire(server.origin, { connections: 1 })
    await (await post(wire, startAttempt())).text(10)
    expect(await failureOf(post(wire, startAttempt(), '"die"'))).toMatchObject({
      kind: 'unreachable',
      isStale: true,
      mayBeBilled: true,
    })
    expect(await (await post(wire, startAttempt())).text(10)).toBe('{}')
  },
)

const notStale: readonly (readonly [string, number, Behaviour])[] = [
  ['was never used before', 1, (socket) => socket.end()],
  ['brought a byte of an answer', 2, (socket) => socket.end('H')],
]

test.for(notStale)(
  'a request on a connection that %s fails and is not sent again',
  async ([, hit, close]) => {
    let hits = 0
    await using server = await startRawServer((socket, request) => {
      if (++hits === hit) close(socket, request)
      else socket.write(answer('{}'))
    })
    await using wire = openWire(server.origin, { connections: 1 })
    while (hits < hit - 1) await (await post(wire, startAttempt())).text(10)
    expect(await failureOf(post(wire, startAttempt()))).toMatchObject({ kind: 'unreachable', isStale: false })
  },
)

test('a request on a used connection that is closed after a second fails and is not sent again', async () => {
  let now = 0
  await using server = await startRawServer((socket, { body }) => {
    if (body !== '"die"') return socket.write(answer('{}'))
    now = 1000
    return socket.end()
  })
  const clock = { now: () => now, epochMs: () => 0 }
  await using wire = openWire(server.origin, { connections: 1, clock })
  await (await post(wire, startAttempt())).text(10)
  expect(await failureOf(post(wire, startAttempt(), '"die"'))).toMatchObject({ isStale: false })
})

test('an attempt that asks for it goes out on a connection of its own', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}')))
  await using wire = openWire(server.origin, { connections: 1 })
  for (const isFresh of [false, false, true, true]) {
    await (await post(wire, { ...startAttempt(), isFresh })).text(10)
  }
  expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1, 2, 3])
  expect(server.requests[2]!.headers['connection']).toBe('close')
})

test('a GET that is lost with a used connection is sent once more, by a fresh one', async () => {
  let hits = 0
  await using server = await startRawServer((socket) => {
    if (++hits === 2) socket.end()
    else socket.write(answer('{}'))
  })
  await using wire = openWire(server.origin, { connections: 1 })
  for (let asked = 0; asked < 2; asked++) {
    expect(await (await wire.get('/v1/x', [], startAttempt())).text(10)).toBe('{}')
  }
  expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1, 2])
})

test('what follows a complete answer on a connection is never taken for the next answer', async () => {
  await using server = await startRawServer((socket, { connection }) => {
    const more = connection === 1 ? answer('"poison"') : Buffer.of()
    socket.write(Buffer.concat([answer('"mine"'), more]))
  })
  await using wire = openWire(server.origin, { connections: 1 })
  expect(await (await post(wire, startAttempt())).text(100)).toBe('"mine"')
  expect(await (await post(wire, startAttempt())).text(100)).toBe('"mine"')
  expect(server.connections).toBe(2)
})

test('closing drops what is running and what waits, and says so', async () => {
  await using server = await startRawServer(() => undefined)
  await using wire = openWire(server.origin, { connections: 1 })
  const under = failureOf(post(wire, startAttempt()))
  await server.arrival(1)
  const waiting = failureOf(post(wire, startAttempt()))
  await wire.close()
  expect((await under).kind).toBe('draining')
  expect((await waiting).kind).toBe('draining')
  await server.idle()
  expect((await failureOf(post(wire, startAttempt()))).kind).toBe('draining')
})

test('closing twice is closing', async () => {
  await using server = await startRawServer(() => undefined)
  const wire = openWire(server.origin)
  await wire.close()
  await expect(wire.close()).resolves.toBeUndefined()
})
