import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Attempt } from '../../../src/core/model/ports.ts'
import { requestHeaders, type Wire } from '../../../src/providers/wire/wire.ts'
import type { WireAnswer } from '../../../src/providers/wire/wire-answer.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { answer, chunk, lastChunk, startRawServer, streamHead } from '../../harness/raw-server.ts'
import { failureOf, openWire, readAll } from '../../harness/wire.ts'

const json = { headers: { 'content-type': 'application/json' } }
const body = '{"said":"Grüße 😀"}'
const plain = answer(body, json)
const headBytes = plain.indexOf('\r\n\r\n') + 4

test.for([
  ['at once', [plain]],
  ['its headers before it', [plain.subarray(0, headBytes), plain.subarray(headBytes)]],
  ['byte by byte', Array.from(plain, (byte) => Buffer.of(byte))],
  ['in chunks', [streamHead(json), chunk('{"said":'), chunk('"Grüße 😀"}'), lastChunk]],
  ['without a type', [`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`]],
] as const)('an answer that comes %s is given whole', async ([, pieces]) => {
  await using server = await startRawServer(async (socket) => {
    for (const piece of pieces) {
      socket.write(piece)
      await setImmediate()
    }
  })
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const reply = await postForWhole(wire, attempt)
  expect(reply.text(100)).toBe(body)
  expect(reply.status).toBe(200)
  expect(attempt.notes).toMatchObject({ headersAt: 42, upstreamStatus: 200 })
  expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
})

test('an answer without a body is given too', async () => {
  await using server = await startRawServer((socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'))
  await using wire = openWire(server.origin)
  expect((await postForWhole(wire)).text(100)).toBe('')
})

test.for([
  ['a refusal', { status: 503, ...json }],
  ['an event stream', { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }],
] as const)('%s is given as soon as its headers are there', async ([, head]) => {
  await using server = await startRawServer((socket) => socket.write(streamHead(head) + chunk('begun')))
  await using wire = openWire(server.origin)
  const reply = await postForWhole(wire)
  const reading = readAll(reply.chunks())
  server.requests[0]?.socket.write(chunk(' and done') + lastChunk)
  expect(await reading).toBe('begun and done')
})

test('an answer longer than the limit is refused before its end, and its connection dropped', async () => {
  await using server = await startRawServer((socket) =>
    socket.write(streamHead(json) + chunk('x'.repeat(101))),
  )
  await using wire = openWire(server.origin)
  const failure = await failureOf(postForWhole(wire).then((reply) => reply.text(100)))
  expect(failure).toMatchObject({ kind: 'invalid_response', provider: 'up', upstreamStatus: 200 })
  await server.idle()
})

test('an answer of exactly the limit is not', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('x'.repeat(100), json)))
  await using wire = openWire(server.origin)
  expect((await postForWhole(wire)).text(100)).toHaveLength(100)
})

test('an answer that breaks off is given as broken', async () => {
  await using server = await startRawServer((socket) => socket.end(streamHead(json) + chunk('{"said":')))
  await using wire = openWire(server.origin)
  const failure = await failureOf(postForWhole(wire).then((reply) => reply.text(100)))
  expect(failure.kind).toBe('interrupted')
})

test('a connection that is cut before the headers rejects', async () => {
  await using server = await startRawServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncont'))
  await using wire = openWire(server.origin)
  expect((await failureOf(postForWhole(wire))).mayBeBilled).toBe(true)
})

test('a body that was asked not to be compressed, and is, is refused before its end', async () => {
  const headers = { ...json.headers, 'content-encoding': 'gzip' }
  await using server = await startRawServer((socket) => socket.write(streamHead({ headers })))
  await using wire = openWire(server.origin)
  const failure = await failureOf(postForWhole(wire).then((reply) => reply.text(100)))
  expect(failure).toMatchObject({ kind: 'invalid_response', message: expect.stringMatching(/compressed/) })
})

test('an abort in the middle gives up the body and its connection', async () => {
  const reason = new Failure('caller_left', 'The caller left.')
  await using server = await startRawServer((socket) => socket.write(streamHead(json) + chunk('begun')))
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const answered = postForWhole(wire, attempt)
  await expect.poll(() => attempt.notes.upstreamStatus).toBe(200)
  attempt.controller.abort(reason)
  const reply = await answered
  expect(() => reply.text(100)).toThrow(reason)
  await server.idle()
  expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
})

test('its connection serves the next request', async () => {
  await using server = await startRawServer((socket) => socket.write(plain))
  await using wire = openWire(server.origin, { connections: 1 })
  for (let times = 0; times < 3; times++) expect((await postForWhole(wire)).text(100)).toBe(body)
  expect(server.connections).toBe(1)
})

function postForWhole(wire: Wire, attempt: Attempt = startAttempt()): Promise<WireAnswer> {
  return wire.postForWhole('/v1/x', requestHeaders('tester/1', 'Bearer k'), '{}', attempt, 100)
}
