import { connect, type Socket } from 'node:net'
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'

const mostBytes = 1_048_576

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ limits: { ...simulatorConfig.limits, bodyBytes: mostBytes } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const encodings: readonly (readonly [string, (bytes: Buffer) => Buffer, note?: string])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', (bytes) => deflateSync(bytes, { level: 1 }), 'fast'],
  ['deflate', deflateRawSync, 'without a header'],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
]

const asked = (prompt: string) => Buffer.from(JSON.stringify({ model: 'sim-echo', prompt }))

describe.for(encodings.map(([encoding, compress, note = 'as it is']) => [encoding, note, compress] as const))(
  'A body in %s, %s,',
  ([encoding, , compress]) => {
    test.for(['content-length', 'chunked'] as const)('is read, told by %s', async (framing) => {
      const answer = await ask(encoding, compress(asked('small again')), framing)
      expect(answer).toMatchObject({ status: 200, body: { choices: [{ text: 'small again' }] } })
    })

    test('may be as long as the limit once it is decompressed, and not a byte longer', async () => {
      const padded = (bytes: number) => compress(Buffer.concat([asked('fits'), Buffer.alloc(bytes, 0x20)]))
      const room = mostBytes - asked('fits').length
      expect((await ask(encoding, padded(room))).status).toBe(200)
      expect(await ask(encoding, padded(room + 1))).toMatchObject({
        status: 413,
        body: { error: { code: 'request_too_large', message: expect.stringContaining(String(mostBytes)) } },
      })
    })

    test.for(['content-length', 'chunked'] as const)(
      'that is a bomb is refused, told by %s',
      async (framing) => {
        const bomb = compress(Buffer.alloc(20_000_000, 0x20))
        expect(bomb.length).toBeLessThan(mostBytes / 10)
        expect((await ask(encoding, bomb, framing)).status).toBe(413)
      },
    )

    test.for([
      ['cut short', compress(asked('p'.repeat(500))).subarray(0, -3)],
      ['none at all', asked('p')],
      ['empty', Buffer.alloc(0)],
      ['of what is no JSON', compress(Buffer.from('no JSON'))],
    ] as const)('that is %s is a 400 that keeps the connection useful', async ([, body]) => {
      expect(await ask(encoding, body)).toMatchObject({
        status: 400,
        body: { error: { type: 'invalid_request_error', message: expect.stringMatching(/body/) } },
      })
      expect((await ask('identity', asked('next'))).status).toBe(200)
    })

    test('whose caller leaves in the middle is a call that ends', async () => {
      const ended = gateway.records.length
      const body = compress(asked('p'.repeat(500)))
      const socket = open(gateway.url)
      socket.write(headOf(encoding, { 'content-length': String(body.length) }))
      socket.write(body.subarray(0, -3), () => socket.destroy())
      const { status } = await gateway.recorded(ended + 1)
      expect(status).toBe(499)
    })
  },
)

test.for(['compress', 'gzip, gzip', 'gzip, br', 'constructor'])(
  'A body in %j is a 415 that says what would be taken',
  async (encoding) => {
    expect(await ask(encoding, gzipSync(asked('p')))).toMatchObject({
      status: 415,
      head: expect.stringMatching(/^accept-encoding: gzip, deflate, br, zstd\r?$/im),
      body: { error: { code: 'unsupported_media_type' } },
    })
  },
)

test('A body in deflate that is stored as it is, without a header, is read', async () => {
  const body = deflateRawSync(asked('stored'), { level: 0 })
  expect(await ask('deflate', body)).toMatchObject({ status: 200, body: { choices: [{ text: 'stored' }] } })
})

test('A body in deflate whose caller leaves before its first byte is a call that ends', async () => {
  const ended = gateway.records.length
  const socket = open(gateway.url)
  socket.write(headOf('deflate', { 'content-length': '100' }))
  // Another answer shows that the head was read.
  await ask('identity', asked('p'))
  socket.destroy()
  expect((await gateway.recorded(ended + 2)).status).toBe(499)
})

test('A body whose encoding is called identity is read as it is', async () => {
  for (const framing of ['content-length', 'chunked'] as const) {
    expect(await ask('identity', asked('plain'), framing)).toMatchObject({ status: 200 })
  }
})

test('A zstd frame that claims a window of 128 MiB is refused before it gets any', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 }
  const body = zstdCompressSync(Buffer.alloc(9_000_000, 0x20), { params })
  expect(await ask('zstd', body)).toMatchObject({ status: 400, body: { error: { code: null } } })
})

test('What is decompressed counts among the bytes in flight, as it arrives', async () => {
  const limits = { ...simulatorConfig.limits, bodyBytes: mostBytes, inFlightBytes: 600_000 }
  await using small = await startTestGateway({ limits })
  const first = open(small.url)
  // One that is on its way holds the room that has come of it; the other one would be too long in the end.
  first.write(headOf('identity', { 'content-length': '400000' }) + ' '.repeat(300_000))
  const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20))
  let answer = await ask('gzip', bomb, 'content-length', small.url)
  while (answer.status === 413) answer = await ask('gzip', bomb, 'content-length', small.url)
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'gateway_overloaded' } } })
  first.destroy()
})

type Answer = { readonly status: number; readonly head: string; readonly body: unknown }

async function ask(
  encoding: string,
  body: Buffer,
  framing: 'content-length' | 'chunked' = 'content-length',
  url = gateway.url,
): Promise<Answer> {
  const socket = open(url)
  const text = textOf(socket)
  if (framing === 'chunked') {
    socket.write(headOf(encoding, { 'transfer-encoding': 'chunked', connection: 'close' }))
    for (const piece of [body.subarray(0, 7), body.subarray(7)]) {
      if (piece.length === 0) continue
      socket.write(`${piece.length.toString(16)}\r\n`)
      socket.write(piece)
      socket.write('\r\n')
    }
    socket.write('0\r\n\r\n')
  } else {
    socket.write(headOf(encoding, { 'content-length': String(body.length), connection: 'close' }))
    socket.write(body)
  }
  const [head = '', ...rest] = (await text).split('\r\n\r\n')
  return { status: Number(head.slice(9, 12)), head, body: JSON.parse(rest.join('\r\n\r\n')) }
}

function headOf(encoding: string, headers: Record<string, string>): string {
  const all = {
    host: 'localhost',
    'content-type': 'application/json',
    'content-encoding': encoding,
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /v1/completions HTTP/1.1\r\n${lines.join('')}\r\n`
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url)
  // A reset after the answer loses nothing of it.
  return connect(Number(port), hostname).on('error', () => undefined)
}

function textOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (piece: string) => {
      text += piece
    })
    socket.on('close', () => resolve(text))
  })
}
