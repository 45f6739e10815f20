import { getEventListeners, once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { connectionFailure, type Phase } from '../../../src/providers/wire/connection-failure.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import {
  answer,
  type Behaviour,
  chunk,
  deadOrigin,
  startRawServer,
  streamed,
  streamHead,
} from '../../harness/raw-server.ts'
import { failureOf, openWire, post, readAll } from '../../harness/wire.ts'

type BrokenServer = readonly [name: string, kind: string, behave: Behaviour]

const writes =
  (bytes: string | Buffer): Behaviour =>
  (socket) =>
    socket.write(bytes)

const ends =
  (bytes: string): Behaviour =>
  (socket) =>
    socket.end(bytes)

const twoLengths = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'
const upgrade = 'HTTP/1.1 101 Up\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'

const odd = (status: string) => `HTTP/1.1 ${status} Odd\r\ncontent-length: 2\r\n\r\n{}`

const unanswered: readonly BrokenServer[] = [
  ['closes without a word', 'unreachable', (socket) => socket.end()],
  ['resets without a word', 'unreachable', (socket) => socket.resetAndDestroy()],
  ['breaks off in the status line', 'unreachable', ends('HTTP/1.1 2')],
  ['breaks off in the headers', 'unreachable', ends('HTTP/1.1 200 OK\r\ncontent-ty')],
  ['speaks no HTTP', 'invalid_response', ends('SSH-2.0-OpenSSH\r\n\r\n')],
  ['has headers without end', 'invalid_response', writes(answer('', { headers: { a: 'x'.repeat(40_000) } }))],
  ['gives two lengths', 'invalid_response', writes(twoLengths)],
  ['says 100 unasked', 'invalid_response', writes('HTTP/1.1 100 Continue\r\n\r\n')],
  ['changes the protocol', 'invalid_response', writes(upgrade)],
  ['has a status of nought', 'invalid_response', writes(odd('000'))],
  ['has a status below a hundred', 'invalid_response', writes(odd('099'))],
  ['has a status of two digits', 'invalid_response', writes(odd('20'))],
  ['has a status of four digits', 'invalid_response', writes(odd('2000'))],
]

test.for(unanswered)('an upstream that %s fails the request as %s', async ([, kind, behave]) => {
  await using server = await startRawServer(behave)
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const failure = await failureOf(post(wire, attempt))
  expect(failure).toMatchObject({ kind, provider: 'up' })
  expect(failure.message).not.toContain('127.0.0.1')
  expect(server.requests).toHaveLength(1)
  expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
})

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const halfOfTen = `${head}content-length: 10\r\n\r\nhalf`
const closing = { headers: { connection: 'close' } }

const broken: readonly BrokenServer[] = [
  ['ends before its length', 'interrupted', ends(halfOfTen)],
  [
    'ends before its length, last of all',
    'interrupted',
    ends(halfOfTen.replace('\r\n', '\r\nconnection: close\r\n')),
  ],
  ['is reset', 'interrupted', (socket) => socket.write(halfOfTen, () => socket.resetAndDestroy())],
  ['ends without its last chunk', 'interrupted', ends(streamHead() + chunk('half'))],
  ['ends without its last chunk, last of all', 'interrupted', ends(streamHead(closing) + chunk('half'))],
  ['ends inside a chunk', 'interrupted', ends(`${streamHead()}10\r\nhalf`)],
  ['has a chunk of no size', 'invalid_response', ends(`${streamHead()}zz\r\nhalf\r\n`)],
]

test.for(broken)('a body that %s is reported as %s, however it is read', async ([, kind, behave]) => {
  await using server = await startRawServer(behave)
  await using wire = openWire(server.origin)
  const collecting = startAttempt()
  const collected = await failureOf(post(wire, collecting).then((reply) => reply.text(100)))
  expect(collected).toMatchObject({ kind, provider: 'up' })
  const streaming = startAttempt()
  const streamed = await failureOf(post(wire, streaming).then((reply) => readAll(reply.chunks())))
  expect(streamed).toMatchObject({ kind, provider: 'up' })
  expect(getEventListeners(collecting.signal, 'abort')).toHaveLength(0)
  expect(getEventListeners(streaming.signal, 'abort')).toHaveLength(0)
})

test('what came before the break is read before it is told', async () => {
  await using server = await startRawServer(ends(streamHead() + chunk('half')))
  await using wire = openWire(server.origin)
  const reply = await post(wire, startAttempt())
  const pieces: string[] = []
  const reading = (async () => {
    for await (const piece of reply.chunks()) pieces.push(piece.toString())
  })()
  expect(await failureOf(reading)).toMatchObject({ kind: 'interrupted' })
  expect(pieces).toEqual(['half'])
})

test('an address where nobody listens is unreachable, and the address is not told', async () => {
  await using wire = openWire(await deadOrigin())
  expect(await failureOf(post(wire, startAttempt()))).toMatchObject({
    kind: 'unreachable',
    message: 'The upstream could not be reached: the connection was refused.',
  })
})

test('a name that does not exist is unreachable, and the name is not told', async () => {
  await using wire = openWire('http://no-such-host.invalid')
  const failure = await failureOf(post(wire, startAttempt()))
  expect(failure.kind).toBe('unreachable')
  expect(failure.message).not.toContain('no-such-host')
})

test('an upstream that never shakes hands is unreachable by the connect clock', async () => {
  await using server = await startRawServer(() => undefined)
  // Its sockets accept, but what is asked for is TLS.
  await using wire = openWire(server.origin.replace('http:', 'https:'), { connectMs: 50 })
  expect(await failureOf(post(wire, startAttempt()))).toMatchObject({
    kind: 'unreachable',
    message: 'The upstream could not be reached: connecting timed out.',
  })
})

test('an upstream that speaks no TLS is reported as that, and not as one with a bad certificate', async () => {
  const plain = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'))
  }).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  await using wire = openWire(`https://127.0.0.1:${(plain.address() as AddressInfo).port}`)
  expect(await failureOf(post(wire, startAttempt()))).toMatchObject({
    kind: 'unreachable',
    message: 'The upstream could not be reached: it does not speak TLS, or no version in common.',
  })
  plain.close()
})

function coded(code: string): Error {
  return Object.assign(new Error('at 10.0.0.1:80'), { code })
}

const meanings: readonly (readonly [string, Error, Phase, string, RegExp])[] = [
  ['no route', coded('EHOSTUNREACH'), 'waiting', 'unreachable', /no route to it/],
  ['a lookup that fails for now', coded('EAI_AGAIN'), 'waiting', 'unreachable', /could not be looked up/],
  [
    'a self-signed certificate',
    coded('DEPTH_ZERO_SELF_SIGNED_CERT'),
    'waiting',
    'unreachable',
    /certificate/,
  ],
  ['a certificate gone by', coded('CERT_HAS_EXPIRED'), 'waiting', 'unreachable', /certificate/],
  [
    'a certificate of another',
    coded('ERR_TLS_CERT_ALTNAME_INVALID'),
    'waiting',
    'unreachable',
    /certificate/,
  ],
  ['an unknown error while connecting', coded('EWHATEVER'), 'waiting', 'unreachable', /no connection/],
  ['an unknown error of the body', coded('EWHATEVER'), 'body', 'interrupted', /broke off/],
  ['a pipe that broke', coded('EPIPE'), 'sent', 'unreachable', /without an answer/],
]

test.for(meanings)('%s is reported without an address', ([, error, phase, kind, message]) => {
  const failure = connectionFailure(error, phase, { provider: 'up' }) as Failure
  expect(failure).toMatchObject({ kind, provider: 'up', cause: error })
  expect(failure.message).toMatch(message)
  expect(failure.message).not.toContain('10.0.0.1')
})

test('a mistake of our own is not blamed on the upstream', () => {
  const mistake = coded('UND_ERR_INVALID_ARG')
  expect(connectionFailure(mistake, 'waiting', { provider: 'up' })).toBe(mistake)
})

test('connections that are killed at any moment leave nothing unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (thrown: unknown) => unhandled.push(thrown)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  const whole = streamed(['data: one\n\n', 'data: two\n\n', 'data: [DONE]\n\n'])
  try {
    let hit = 0
    await using server = await startRawServer((socket) => {
      const upTo = hit++ % (whole.length + 1)
      const resets = hit % 2 === 0
      socket.write(whole.subarray(0, upTo), () => (resets ? socket.resetAndDestroy() : socket.destroy()))
    })
    await using wire = openWire(server.origin, { connections: 8 })
    const readers = Array.from({ length: whole.length * 2 }, async (_, turn) => {
      const attempt = startAttempt()
      try {
        const reply = await post(wire, attempt)
        if (turn % 3 === 0) reply.discard()
        else if (turn % 3 === 1) attempt.controller.abort(new Failure('caller_left', 'The caller left.'))
        else await readAll(reply.chunks())
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Failure)
      }
    })
    await Promise.all(readers)
    await server.idle()
  } finally {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  }
  expect(unhandled).toEqual([])
})
