import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { loadConfig } from '../../src/config.ts'
import { usdText } from '../../src/core/price.ts'
import type { CallRecord } from '../../src/core/record.ts'
import { startGateway } from '../../src/main.ts'
import { providers } from '../../src/providers/all.ts'
import type { SimulatedServer } from '../../src/simulator/simulated-server.ts'
import { simulateTogether } from '../../src/simulator/together.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { type Asked, askMixed } from './traffic.ts'

/** What came of the demonstration. Money in whole nano-USD. */
export type DemoReport = {
  readonly calls: number
  readonly failed: number
  /** Calls answered by each provider, before one was killed and after. */
  readonly answered: Readonly<Record<string, { readonly before: number; readonly after: number }>>
  readonly killed: string
  /** Attempts that a call survived. */
  readonly survived: number
  readonly costNanoUsd: number
  readonly baselineNanoUsd: number
  readonly savedNanoUsd: number
  /** By the upstreams' own bills. */
  readonly billedNanoUsd: number
  /** Attempts of which the two sides do not say the same. */
  readonly disputed: readonly string[]
}

/**
 * Runs the same model at three places of different price and speed, sends mixed calls through a gateway, kills the
 * place that had most of them, sends as many again, and compares what the gateway says it cost with the places' bills.
 */
export async function demonstrateRouting(callsPerPhase: number): Promise<DemoReport> {
  const records: CallRecord[] = []
  await using places = await openPlaces()
  const gateway = await startGateway(configOf(places.list), {
    log: createLog('silent', { write: () => undefined }),
    version: '0.0.0-demo',
    sinks: [{ write: (record) => records.push(record) }],
  })
  try {
    const before = await askMixed({ url: gateway.url, calls: callsPerPhase, seed: 1, streams: true })
    const favourite = mostUsed(records)
    const half = Math.ceil(callsPerPhase / 2)
    // Whole replies only: a stream that has begun cannot be moved elsewhere.
    const during = askMixed({ url: gateway.url, calls: half, seed: 2, streams: false })
    await places.kill(favourite)
    const after = [
      ...(await during),
      ...(await askMixed({ url: gateway.url, calls: callsPerPhase - half, seed: 3, streams: true })),
    ]
    return report({ before, after, records, places: places.list, killed: favourite })
  } finally {
    await gateway.stop({ delayMs: 0, graceMs: 1000 })
  }
}

/** One place: its prices in USD per million tokens, and a model whose name spells how fast it is. */
type Place = {
  readonly name: string
  readonly input: number
  readonly output: number
  readonly model: string
}

const offers: readonly Place[] = [
  { name: 'swift', input: 0.9, output: 0.9, model: 'swift/sim-slow-5-long-30' },
  { name: 'steady', input: 0.3, output: 0.5, model: 'steady/sim-slow-20-long-30' },
  { name: 'frugal', input: 0.1, output: 0.3, model: 'frugal/sim-slow-40-long-30' },
]

type OpenPlace = Place & { readonly server: SimulatedServer; readonly door: Door }

async function openPlaces(): Promise<
  AsyncDisposable & { readonly list: readonly OpenPlace[]; kill(name: string): Promise<void> }
> {
  const list = await Promise.all(offers.map(openPlace))
  return {
    list,
    async kill(name) {
      await list.find((place) => place.name === name)?.door.slam()
    },
    async [Symbol.asyncDispose]() {
      for (const { door, server } of list) {
        await door.slam()
        await server[Symbol.asyncDispose]()
      }
    },
  }
}

async function openPlace(place: Place): Promise<OpenPlace> {
  const { model: id, input, output } = place
  const models = [{ id, type: 'chat', contextTokens: 32_768, input, output, engine: 'b' }] as const
  const server = await simulateTogether({ host: '127.0.0.1', port: 0, models })
  return { ...place, server, door: await openDoor(Number(new URL(server.origin).port)) }
}

/** The way to a place. Slammed, it cuts whoever is in it, and lets nobody in. */
type Door = { readonly port: number; slam(): Promise<void> }

async function openDoor(port: number): Promise<Door> {
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

function configOf(places: readonly OpenPlace[]) {
  const file = {
    server: { port: 0 },
    providers: Object.fromEntries(
      places.map(({ name, door }) => [
        name,
        { type: 'together', baseUrl: `http://127.0.0.1:${door.port}/v1`, retries: 0 },
      ]),
    ),
    models: {
      demo: {
        route: 'value',
        deployments: places.map(({ name, model, input, output }) => ({
          provider: name,
          model,
          price: { input, output },
        })),
      },
    },
  }
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'demo.yaml' },
    readFile: () => JSON.stringify(file),
    providers,
  })
}

function mostUsed(records: readonly CallRecord[]): string {
  const counts = Object.entries(countBy(records))
  return counts.toSorted(([, one], [, other]) => other - one)[0]?.[0] ?? ''
}

function countBy(records: readonly CallRecord[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { provider } of records)
    if (provider !== undefined) counts[provider] = (counts[provider] ?? 0) + 1
  return counts
}

type Outcome = {
  readonly before: readonly Asked[]
  readonly after: readonly Asked[]
  readonly records: readonly CallRecord[]
  readonly places: readonly OpenPlace[]
  readonly killed: string
}

function report({ before, after, records, places, killed }: Outcome): DemoReport {
  const [early, late] = [countBy(records.slice(0, before.length)), countBy(records.slice(before.length))]
  const bill = new Map(
    places.flatMap(({ server }) =>
      server.bill().map(({ attempt = '', nanoUsd = 0 }): [string, number] => [attempt, nanoUsd]),
    ),
  )
  const claims = new Map(
    records.flatMap(({ id, attempts }) =>
      attempts.map(({ costNanoUsd = 0 }, at): [string, number] => [`${id}-${at}`, costNanoUsd]),
    ),
  )
  const ids = new Set([...bill.keys(), ...claims.keys()])
  const sum = (amount: (record: CallRecord) => number | undefined) =>
    records.reduce((total, record) => total + (amount(record) ?? 0), 0)
  return {
    calls: before.length + after.length,
    failed: [...before, ...after].filter(({ isAnswered }) => !isAnswered).length,
    answered: Object.fromEntries(
      places.map(({ name }) => [name, { before: early[name] ?? 0, after: late[name] ?? 0 }]),
    ),
    killed,
    survived: records.reduce((total, { attempts }) => total + attempts.length - 1, 0),
    costNanoUsd: sum(({ costNanoUsd }) => costNanoUsd),
    baselineNanoUsd: sum(({ baselineNanoUsd }) => baselineNanoUsd),
    savedNanoUsd: sum(({ savedNanoUsd }) => savedNanoUsd),
    billedNanoUsd: [...bill.values()].reduce((total, nanoUsd) => total + nanoUsd, 0),
    disputed: [...ids].filter((id) => (bill.get(id) ?? 0) !== (claims.get(id) ?? 0)),
  }
}

if (import.meta.main) {
  const told = await demonstrateRouting(200)
  const usd = (nanoUsd: number) => `${usdText(nanoUsd)} USD`
  console.log(`${told.calls} calls, ${told.failed} failed; "${told.killed}" was killed half-way.`)
  console.table(told.answered)
  console.log(`Attempts that failed and were made good elsewhere: ${told.survived}`)
  console.log(
    `Spent ${usd(told.costNanoUsd)}; at the first place alone it had been ${usd(told.baselineNanoUsd)}.`,
  )
  console.log(`Saved ${usd(told.savedNanoUsd)}.`)
  console.log(
    `The places' own bills: ${usd(told.billedNanoUsd)}; attempts in dispute: ${told.disputed.length}.`,
  )
  process.exitCode = told.failed === 0 && told.disputed.length === 0 ? 0 : 1
}
