import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createRecorder } from '../../../../src/core/account/recorder.ts'
import { EventStream } from '../../../../src/http/call/answer/event-stream.ts'

const clock = { now: () => performance.now(), epochMs: () => Date.now() }
const long = `data: ${'ü'.repeat(5000)}\n\n`
const last = 'data: [DONE]\n\n'
const frames = ['data: plain\n\n', 'data: é € 😀\n\n', '', long, 'data: again\n\n']

test('every piece is a chunk of its own, its length in bytes, and an empty one is not the end', async () => {
  const { head, body, responseBytes } = await streamed('1.1', frames)
  expect(head).toMatch(/\r\ntransfer-encoding: chunked/i)
  expect(head).toMatch(/\r\ntrailer: /)
  const { pieces, trailers } = dechunked(body)
  expect(pieces).toEqual([...frames.filter(Boolean), last])
  expect(responseBytes).toBe(Buffer.byteLength(frames.join('') + last))
  expect(trailers).toMatch(/^x-pandotate-attempts: 0\r\n/)
})

test('where HTTP/1.0 is spoken there are no chunks, and no trailers', async () => {
  const { head, body } = await streamed('1.0', frames)
  expect(head).not.toMatch(/transfer-encoding|trailer/i)
  expect(body.toString()).toBe(frames.join('') + last)
})

test('what is reported at the end alone ends well', async () => {
  const { pieces } = dechunked((await streamed('1.1', [])).body)
  expect(pieces).toEqual([last])
})

/** What a caller gets, to the byte, of a stream of these frames, each written in a turn of its own. */
async function streamed(version: '1.0' | '1.1', written: readonly string[]) {
  await using stack = new AsyncDisposableStack()
  let responseBytes = 0
  const server = createServer(async (_request, response) => {
    using record = createRecorder([], clock, 1000).open('req_1', 'chat')
    const limits = { keepaliveMs: 0, heartbeatMs: 0, writeStallMs: 60_000 }
    const signal = new AbortController().signal
    using events = new EventStream({ response, record, limits, idle: () => undefined, signal })
    events.begin()
    for (const each of written) {
      events.write(each)
      await new Promise(setImmediate)
    }
    await events.end(last)
    responseBytes = record.row.responseBytes
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close())
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`GET / HTTP/${version}\r\nhost: gateway\r\nconnection: close\r\n\r\n`)
  const all = await buffer(socket)
  const end = all.indexOf('\r\n\r\n')
  return { head: all.toString('latin1', 0, end), body: all.subarray(end + 4), responseBytes }
}

/** Chunks by RFC 9112 7.1, read strictly. */
function dechunked(body: Buffer): { pieces: string[]; trailers: string } {
  const pieces: string[] = []
  let at = 0
  while (true) {
    const line = body.indexOf('\r\n', at)
    const size = body.toString('latin1', at, line)
    expect(size).toMatch(/^[\da-f]+$/)
    const bytes = Number.parseInt(size, 16)
    if (bytes === 0) return { pieces, trailers: body.toString('latin1', line + 2) }
    const start = line + 2
    pieces.push(body.toString('utf8', start, start + bytes))
    expect(body.toString('latin1', start + bytes, start + bytes + 2)).toBe('\r\n')
    at = start + bytes + 2
  }
}
