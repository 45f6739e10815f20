import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { OpenHold } from '../../../src/core/model/shared/state.ts'
import { openRedis, type RedisParts, type RedisShared } from '../../../src/state/redis/redis.ts'

/** Options of a test's node. */
export type NodeOptions = Partial<Omit<RedisParts, 'settings' | 'events'>> & {
  readonly prefix?: string
  readonly mode?: RedisParts['settings']['mode']
  readonly timeoutMs?: number
  readonly password?: string
}

export type TestNode = RedisShared & { readonly owner: string; readonly swept: readonly OpenHold[] }

/** A connection to a server that can be cut. */
export type Wire = AsyncDisposable & {
  readonly url: string
  cut(): void
  mend(): void
  /** From a request with this text on, no answer is passed on, and no new connection. Only `passed`: the server gets it. */
  hangAt(text: string, how: 'passed' | 'swallowed'): void
}

export async function openWire(port: number): Promise<Wire> {
  const sockets = new Set<Socket>()
  let isCut = false
  let hanging: { readonly text: string; readonly how: 'passed' | 'swallowed' } | undefined
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    let hangs = false
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
        sockets.delete(socket)
      })
    }
    near.on('data', (bytes) => {
      const hangsNow = hanging !== undefined && bytes.includes(hanging.text)
      if (!hangs && (!hangsNow || hanging?.how === 'passed')) far.write(bytes)
      hangs ||= hangsNow
      isCut ||= hangs
    })
    far.on('data', (bytes) => {
      if (!hangs) near.write(bytes)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cut,
    mend() {
      isCut = false
      hanging = undefined
    },
    hangAt(text, how) {
      hanging = { text, how }
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A node over a Redis server; those of one prefix are one gateway. */
export async function openNode(urls: readonly string[], options: NodeOptions = {}): Promise<TestNode> {
  const { prefix = newPrefix(), mode = 'single', timeoutMs = patientMs, password, ...parts } = options
  const owner = options.owner ?? `node-${randomBytes(4).toString('hex')}`
  const swept: OpenHold[] = []
  const shared = await openRedis({
    ...{ owner, onLoss: 'local', leasePart: 0.2, goneAfterMs: 15_000, now: () => performance.now() },
    keepMs: () => 0,
    ...parts,
    settings: { urls, mode, sentinelName: 'main', prefix, timeoutMs, password },
    events: {
      up() {},
      down() {},
      swept: (_owner, holds) => void swept.push(...holds),
    },
  })
  return Object.assign(shared, { owner, swept })
}

/** Only what hangs takes so long: a busy machine must not look like a lost Redis. Who loses it cuts the connection. */
const patientMs = 60_000

/** For a node that sweeps others. It is opened after they are cut off: on a busy machine a living one may be this late. */
export const sweepsAfterMs = 2000

/** For tests in which Redis hangs. */
export const hangsMs = 2000

export function newPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`
}

/** Waits until a condition is true. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10))
}
