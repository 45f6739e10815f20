import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'

const body = JSON.stringify({ model: 'sim-echo', prompt: 'x'.repeat(400_000) })

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway({ keys: ['sk-one-0123456789', 'sk-other-0123456789'] })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await gateway[Symbol.asyncDispose]()
})

describe('a body is given up with a 408', () => {
  test('when nothing of it came for ten seconds', async () => {
    await using caller = await begin(200_000)
    await caller.pass(9)
    expect(caller.heard()).toBe('')
    await caller.pass(2)
    await caller.refused(/No data arrived for 10 seconds/)
  })

  test('when it comes with less than 8 KiB a second, after five seconds', async () => {
    await using caller = await begin(100)
    await caller.pass(4, 1000)
    expect(caller.heard()).toBe('')
    await caller.pass(1, 1000)
    await caller.refused(/less than 8192 bytes a second/)
  })

  test.for(['transfer-encoding: chunked', 'content-encoding: gzip\r\ncontent-length: 400000'])(
    'also with %j',
    async (framing) => {
      await using caller = await begin(0, framing)
      await caller.pass(10)
      await caller.refused(/Nothing of it came|bytes a second/)
    },
  )
})

test('one that keeps coming has all the time it takes', async () => {
  await using caller = await begin(50_000)
  await caller.pass(20, 10_000)
  expect(caller.heard()).toBe('')
  caller.rest()
  await vi.waitFor(() => expect(caller.heard()).toContain('HTTP/1.1 200'), patient)
})

/** vitest has no setting for this one. */
const patient = { timeout: 120_000 }

type Caller = AsyncDisposable & {
  heard(): string
  /** Lets seconds pass, and sends so many bytes in each. */
  pass(seconds: number, bytes?: number): Promise<void>
  rest(): void
  refused(told: RegExp): Promise<void>
}

/** Sends the headers, and the first bytes of the body. */
async function begin(bytes: number, framing = `content-length: ${body.length}`): Promise<Caller> {
  const { hostname, port } = new URL(gateway.url)
  const socket: Socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  socket.on('error', () => undefined)
  const head = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk-one-0123456789\r\n`
  socket.write(`${head}content-type: application/json\r\n${framing}\r\n\r\n`)
  let sent = 0
  const send = async (count: number) => {
    if (count > 0) socket.write(body.slice(sent, sent + count))
    sent += count
    // What was sent has arrived when the gateway has answered another on the same machine.
    await fetch(`${gateway.url}/livez`)
    await fetch(`${gateway.url}/livez`)
  }
  await send(bytes)
  return {
    heard: () => text,
    async pass(seconds, each = 0) {
      for (let second = 0; second < seconds; second++) {
        await send(each)
        await vi.advanceTimersByTimeAsync(1000)
      }
    },
    rest: () => void socket.write(body.slice(sent)),
    async refused(told) {
      await vi.waitFor(() => expect(text).toContain('\r\n\r\n{'), patient)
      expect(text).toContain('HTTP/1.1 408')
      expect(text).toMatch(/^connection: close\r$/im)
      expect(text).toMatch(/^x-request-id: req_/im)
      expect(text).toMatch(told)
    },
    async [Symbol.asyncDispose]() {
      socket.destroy()
    },
  }
}

test('bodies that are announced, and do not come, shut nobody out', async () => {
  const { hostname, port } = new URL(gateway.url)
  const { inFlightBytes } = simulatorConfig.limits
  const sockets = Array.from({ length: 60 }, () => {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    const head = 'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk-one-0123456789'
    socket.write(`${head}\r\ncontent-type: application/json\r\ncontent-length: 26214400\r\n\r\n{`)
    return socket
  })
  expect(sockets.length * 26_214_400).toBeGreaterThan(inFlightBytes)
  await vi.waitFor(async () => {
    const metrics = await fetch(`${gateway.url}/health`)
    expect(metrics.status).toBe(200)
  }, patient)
  const answer = await fetch(`${gateway.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-other-0123456789' },
    body: JSON.stringify({ model: 'sim-echo', prompt: 'x' }),
  })
  expect(answer.status).toBe(200)
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  for (const socket of sockets) socket.destroy()
})
