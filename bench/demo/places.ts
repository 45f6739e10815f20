import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { simulateRunpod } from '../../src/simulator/runpod/runpod.ts'
import type { SimulatedServer } from '../../src/simulator/server/simulated-server.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'

/** A place where the model runs, and the way to it. */
export type Place = AsyncDisposable & {
  readonly name: string
  /** As gateway.yaml has it, but for the name. */
  readonly provider: object
  /** The model's name there spells how fast it is. */
  readonly model: string
  /** The same model, on a day on which its streams break off. */
  readonly fragile: string | undefined
  readonly price: object
  readonly bill: SimulatedServer['bill']
  /** Closes all connections, and refuses new ones. */
  kill(): Promise<void>
}

/** The first is what savings are measured against. */
export async function openPlaces(): Promise<readonly Place[]> {
  return await Promise.all([
    openByToken({ name: 'swift', input: 0.9, output: 0.9, model: 'sim-slow-5-drip-1-long-30' }),
    openByToken({ name: 'steady', input: 0.3, output: 0.5, model: 'sim-slow-20-drip-1-long-30' }),
    openByToken({ name: 'frugal', input: 0.1, output: 0.3, model: 'sim-slow-40-drip-1-long-30' }),
    openBySecond({ name: 'rented', perSecond: 0.0004, model: 'sim-slow-5-drip-1-long-30' }),
  ])
}

type ByToken = {
  readonly name: string
  /** USD per million tokens. */
  readonly input: number
  readonly output: number
  readonly model: string
}

/** At a simulated Together. */
async function openByToken({ name, input, output, model: behaviour }: ByToken): Promise<Place> {
  const [model, fragile] = [`${name}/${behaviour}`, `${name}/${behaviour}-cut-12`] as const
  const models = [model, fragile].map(
    (id) => ({ id, type: 'chat', contextTokens: 32_768, input, output, engine: 'b' }) as const,
  )
  const server = await simulateTogether({ host: '127.0.0.1', port: 0, models })
  const door = await openDoor(server)
  const provider = { type: 'together', baseUrl: `http://127.0.0.1:${door.port}/v1`, retries: 0 }
  return place(server, door, { name, provider, model, fragile, price: { input, output } })
}

type BySecond = { readonly name: string; readonly perSecond: number; readonly model: string }

/** At a simulated RunPod, whose jobs tell how long they took. */
async function openBySecond({ name, perSecond, model }: BySecond): Promise<Place> {
  const server = await simulateRunpod({
    ...{ host: '127.0.0.1', port: 0, workers: 32, nanoUsdPerSecond: Math.round(perSecond * 1e9) },
    // A place of one's own is asked as often as one likes.
    limits: { run: 1e6, runsync: 1e6, status: 1e6, stream: 1e6, cancel: 1e6, openai: 1e6 },
  })
  const door = await openDoor(server)
  const baseUrl = `http://127.0.0.1:${door.port}/v2`
  const provider = { type: 'runpod', baseUrl, endpointId: 'demo', mode: 'jobs', retries: 0 }
  return place(server, door, { name, provider, model, fragile: undefined, price: { perSecond } })
}

function place(
  server: SimulatedServer,
  door: Door,
  rest: Omit<Place, 'bill' | 'kill' | typeof Symbol.asyncDispose>,
): Place {
  return {
    ...rest,
    bill: server.bill,
    kill: door.slam,
    async [Symbol.asyncDispose]() {
      await door.slam()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A proxy in front of a place. Slammed, it closes all connections and refuses new ones. */
type Door = { readonly port: number; slam(): Promise<void> }

async function openDoor({ origin }: SimulatedServer): Promise<Door> {
  const port = Number(new URL(origin).port)
  const sockets = new Set<Socket>()
  const door: Server = createServer((caller) => {
    const inside = connect(port, '127.0.0.1')
    for (const [socket, other] of [
      [caller, inside],
      [inside, caller],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  const address = door.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async slam() {
      if (!door.listening) return
      const closed = once(door, 'close')
      door.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
