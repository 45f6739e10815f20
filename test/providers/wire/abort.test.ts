import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { answer, chunk, startRawServer, streamHead } from '../../harness/raw-server.ts'
import { openWire, post, readAll } from '../../harness/wire.ts'

const reason = new Failure('caller_left', 'The caller left.')
const begun = streamHead() + chunk('begun')

test('an attempt that was over before it began sends nothing', async () => {
  await using server = await startRawServer(() => undefined)
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  attempt.controller.abort(reason)
  await expect(post(wire, attempt)).rejects.toBe(reason)
  expect(server.connections).toBe(0)
})

test('an abort gives up the wait for headers, and the connection with it', async () => {
  await using server = await startRawServer(() => undefined)
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const answered = post(wire, attempt)
  await server.arrival(1)
  attempt.controller.abort(reason)
  await expect(answered).rejects.toBe(reason)
  expect(attempt.notes.isUnsent).toBe(false)
  await server.idle()
  expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
})

test.for(['text', 'chunks'] as const)('an abort gives up a body that is read as %s', async (way) => {
  await using server = await startRawServer((socket) => socket.write(begun))
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const reply = await post(wire, attempt)
  const reading = way === 'text' ? reply.text(100) : readAll(reply.chunks())
  attempt.controller.abort(reason)
  await expect(reading).rejects.toBe(reason)
  await server.idle()
  expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
})

test('an abort gives up a body that nobody has begun to read', async () => {
  await using server = await startRawServer((socket) => socket.write(begun))
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const reply = await post(wire, attempt)
  attempt.controller.abort(reason)
  await server.idle()
  expect(() => reply.text(100)).toThrow(reason)
})

test('an abort gives up a stream that is paused because its reader is slow', async () => {
  await using server = await startRawServer((socket) => {
    socket.write(streamHead())
    for (let piece = 0; piece < 64; piece++) socket.write(chunk('x'.repeat(64 * 1024)))
  })
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const reader = (await post(wire, attempt)).chunks()[Symbol.asyncIterator]()
  await reader.next()
  attempt.controller.abort(reason)
  await expect(reader.next()).rejects.toBe(reason)
  await server.idle()
})

test('an abort after the end changes nothing', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}')))
  await using wire = openWire(server.origin, { connections: 1 })
  const attempt = startAttempt()
  const reply = await post(wire, attempt)
  expect(await reply.text(100)).toBe('{}')
  attempt.controller.abort(reason)
  expect(await (await post(wire, startAttempt())).text(100)).toBe('{}')
  expect(server.connections).toBe(1)
})

test('a request given up while it waits for a connection is never sent, and spares the connection', async () => {
  await using server = await startRawServer(() => undefined)
  await using wire = openWire(server.origin, { connections: 1 })
  const first = post(wire, startAttempt(), '"first"')
  const { socket } = await server.arrival(1)
  const waiting = startAttempt()
  const second = post(wire, waiting, '"second"')
  waiting.controller.abort(reason)
  await expect(second).rejects.toBe(reason)
  expect(waiting.notes.isUnsent).toBe(true)
  const third = post(wire, startAttempt(), '"third"')
  socket.write(answer('1'))
  expect(await (await first).text(10)).toBe('1')
  await server.arrival(2)
  socket.write(answer('3'))
  expect(await (await third).text(10)).toBe('3')
  expect(server.requests.map(({ body }) => body)).toEqual(['"first"', '"third"'])
  expect(server.connections).toBe(1)
})

test('a request given up while it connects is never sent', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}')))
  await using wire = openWire(server.origin, { connections: 1 })
  const attempt = startAttempt()
  const answered = post(wire, attempt, '"first"')
  attempt.controller.abort(reason)
  await expect(answered).rejects.toBe(reason)
  expect(attempt.notes.isUnsent).toBe(true)
  expect(await (await post(wire, startAttempt(), '"second"')).text(10)).toBe('{}')
  expect(server.requests.map(({ body }) => body)).toEqual(['"second"'])
})

test('an attempt of which a part was sent stays one, whatever it still has to ask', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}')))
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  await (await post(wire, attempt)).text(10)
  const next = post(wire, attempt)
  attempt.controller.abort(reason)
  await expect(next).rejects.toBe(reason)
  expect(attempt.notes.isUnsent).toBe(false)
})

test('a discarded body that continues loses its connection at the next byte', async () => {
  await using server = await startRawServer((socket) => socket.write(begun))
  await using wire = openWire(server.origin, { connections: 1, lingerMs: 600_000 })
  const attempt = startAttempt()
  for await (const _ of (await post(wire, attempt)).chunks()) break
  expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
  server.requests[0]!.socket.write(chunk('more'))
  await server.idle()
})

test('a discarded body that falls silent loses its connection soon', async () => {
  await using server = await startRawServer((socket) => socket.write(begun))
  await using wire = openWire(server.origin, { connections: 1, lingerMs: 5 })
  const reply = await post(wire, startAttempt())
  reply.discard()
  await server.idle()
})
