import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { FaultCase } from '../fault-case.ts'
import type { Stage } from '../harness.ts'
import { gatewayKey } from '../secrets.ts'
import { see } from '../sights.ts'

const start = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${gatewayKey}\r\ncontent-type: application/json\r\n`

/** Faults 27 to 29: callers who read too little, send too little, or send what they should not. */
export const callingCases: readonly FaultCase[] = [
  {
    fault: 27,
    name: 'of an endless answer, all of it unread',
    outcome: 'backpressure on the upstream, then both connections are closed',
    routes: { 'f27.flood': [{ says: 'flood' }] },
    settings: { limits: { writeStallMs: 300 } },
    async play(stage) {
      const count = stage.isLong ? 100 : 20
      const { upstream, gateway } = stage
      const asking = { model: 'f27.flood', stream: true, isDeaf: true }
      const callers = Array.from({ length: count }, () => stage.call(asking))
      await upstream.until(() => upstream.abandoned('flood/f27.flood.0') === count)
      await gateway.recorded(count, 'f27.flood')
      for (const { flags } of gateway.rows.values()) assert(flags.includes('write_stalled'))
      const sent = upstream.sentBytes('flood/f27.flood.0') / count
      assert(sent < mostUnreadBytes, `${sent} bytes were taken for each`)
      for (const caller of callers) caller.leave('FIN')
      await stage.rest()
    },
  },
  {
    fault: 28,
    name: 'half a header, half a body, nothing at all',
    outcome:
      'others are served meanwhile; an unfinished request is recorded as `left`, and nothing stays open',
    routes: { 'f28.sound': [{ says: 'whole' }] },
    async play(stage) {
      const count = stage.isLong ? 1000 : 50
      const texts = ['', head('f28.sound', '').slice(0, 60), `${head('f28.sound', 'x'.repeat(100))}half`]
      const sockets = await Promise.all(
        texts.flatMap((text) => Array.from({ length: count }, () => begin(stage, text))),
      )
      for (let call = 0; call < 20; call++) {
        see(await stage.ask({ model: 'f28.sound' }), 'whole', 'text', false)
      }
      // The long form waits for the gateway's own clocks, which are of many seconds.
      if (stage.isLong)
        await Promise.all(sockets.slice(count, 2 * count).map((socket) => once(socket, 'close')))
      for (const socket of sockets) socket.destroy()
      await stage.rest()
    },
  },
  ...hostile().map(
    ([name, bytes, statuses]): FaultCase => ({
      fault: 29,
      name,
      outcome: `${statuses.join(' or ')}; the next request on the connection is answered, or it was closed`,
      routes: { [`f29.${name}`]: [{ says: 'whole' }] },
      async play(stage) {
        const next = post(`f29.${name}`, sound(`f29.${name}`), 'connection: close\r\n')
        const [first, ...others] = await exchange(
          stage,
          Buffer.concat([Buffer.from(bytes), Buffer.from(next)]),
        )
        assert(first !== undefined && statuses.includes(first), `status ${first}`)
        assert(others.length === 0 || (others.length === 1 && others[0] === 200), `then ${others}`)
        see(await stage.ask({ model: `f29.${name}` }), 'whole', 'text', false)
        await stage.rest()
      },
    }),
  ),
]

/** What the buffers of two connections and their sockets hold between them, and some room. */
const mostUnreadBytes = 32 * 1024 * 1024

type Hostile = readonly [name: string, bytes: string | Buffer, statuses: readonly number[]]

/** Requests as bytes, and the statuses that are right for them. */
function hostile(): readonly Hostile[] {
  const model = 'f29'
  const text = sound(model)
  const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, ' '))
  const framed = (headers: string, body: string | Buffer) =>
    Buffer.concat([Buffer.from(`${start}${headers}\r\n`), Buffer.from(body)])
  return [
    ['too large', post(model, JSON.stringify({ model, prompt: 'x'.repeat(2 * 1024 * 1024) })), [413]],
    [
      'too large, in chunks',
      framed('transfer-encoding: chunked\r\n', chunks('x'.repeat(3 * 1024 * 1024))),
      [413],
    ],
    ['a bomb', framed(`content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n`, bomb), [413]],
    ['no gzip', framed('content-encoding: gzip\r\ncontent-length: 3\r\n', 'abc'), [400]],
    ['zstd', framed('content-encoding: zstd\r\ncontent-length: 3\r\n', 'abc'), [400, 415]],
    ['a million levels deep', post(model, '['.repeat(1_000_000)), [400]],
    ['__proto__', post(model, '{"model":"f29","prompt":"p","__proto__":{"polluted":1}}'), [400]],
    ['bytes that are no UTF-8', post(model, Buffer.from([0x22, 0xff, 0x22])), [400]],
    ['half a JSON', post(model, text.slice(0, -5)), [400]],
    [
      'both framings',
      framed(`content-length: ${text.length}\r\ntransfer-encoding: chunked\r\n`, chunks(text)),
      [400],
    ],
    ['two lengths', framed(`content-length: ${text.length}\r\ncontent-length: 1\r\n`, text), [400]],
    ['a length that is no number', framed('content-length: 1e3\r\n', text), [400]],
    ['an unknown transfer coding', framed('transfer-encoding: xchunked\r\n', chunks(text)), [400]],
    ['a folded header', framed(`x-a: b\r\n c\r\ncontent-length: ${text.length}\r\n`, text), [400]],
    ['a space before the colon', framed(`content-length : ${text.length}\r\n`, text), [400]],
    ['lines that end in LF alone', `${start.replaceAll('\r\n', '\n')}content-length: 2\n\n{}`, [400]],
    ['headers of 100 KB', framed(`x-long: ${'x'.repeat(100_000)}\r\n`, ''), [431]],
  ]
}

function sound(model: string): string {
  return JSON.stringify({ model, prompt: 'Name some trees.' })
}

function head(model: string, body: string | Buffer, headers = ''): string {
  return `${start}x-model: ${model}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n`
}

function post(model: string, body: string | Buffer, headers = ''): Buffer {
  return Buffer.concat([Buffer.from(head(model, body, headers)), Buffer.from(body)])
}

function chunks(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
}

async function begin({ gateway }: Stage, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume()
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

/** Sends these bytes, and gives the statuses of what comes back until the connection is closed. */
async function exchange({ gateway }: Stage, bytes: Buffer): Promise<readonly number[]> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece
  })
  // A connection that is closed on unread bytes is reset: what came before that counts.
  socket.on('error', () => undefined)
  socket.write(bytes)
  await once(socket, 'close')
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status))
}
