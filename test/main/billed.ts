import { loadConfig } from '../../src/config.ts'
import type { CallRecord } from '../../src/core/model/record/record.ts'
import { providers } from '../../src/providers/all.ts'
import { simulateBaseten } from '../../src/simulator/baseten/baseten.ts'
import { simulateRunpod } from '../../src/simulator/runpod/runpod.ts'
import type { BillLine } from '../../src/simulator/server/bill.ts'
import type { SimulatedServer } from '../../src/simulator/server/simulated-server.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

/** What became of some calls, once all is over: both sides' word on the money. */
export type Billed = {
  readonly records: readonly CallRecord[]
  readonly lines: readonly BillLine[]
  readonly log: readonly string[]
}

/** Where calls can be made: a gateway, and how the upstream behind one of its models stands. */
export type BilledStage = {
  readonly url: string
  readonly gateway: TestGateway
  readonly queue: SimulatedServer
  readonly hits: () => number
}

/** Runs `act` before a gateway over Together, Baseten and RunPod, and asks for the bills when all have closed. */
export async function billedFor(
  names: readonly string[],
  act: (stage: BilledStage) => Promise<void>,
): Promise<Billed> {
  const upstreams = await startUpstreams(names)
  const gateway = await startTestGateway(configOver(upstreams, names))
  const all = Object.values(upstreams)
  try {
    const hits = () => all.reduce((sum, upstream) => sum + upstream.hits(), 0)
    await act({ url: gateway.url, gateway, queue: upstreams.queue, hits })
  } finally {
    await gateway[Symbol.asyncDispose]()
    for (const upstream of all) await upstream[Symbol.asyncDispose]()
  }
  const lines = all.flatMap((upstream) => upstream.bill())
  const log = gateway.logged().split('\n')
  return { records: gateway.records, lines, log }
}

/** What an upstream cannot be asked: how long it worked. */
export const untimed = /@(dedicated|path|queue)$/

/** The most that a single attempt here can be out by: longer than any answer, longer than any clock. */
export const mostUncertainNanoUsd = 3_000_000

/** In nano-USD for a million tokens; and for a second. */
const inputNanoUsd = 900_000_000
const outputNanoUsd = 1_700_000_000
const secondNanoUsd = 190_000

/** At Together's, beside those of the names. */
const another = 'another/sim-long-30'

type Upstreams = Awaited<ReturnType<typeof startUpstreams>>

async function startUpstreams(names: readonly string[]) {
  const at = { host: '127.0.0.1', port: 0 }
  const listed = { contextTokens: 32_768, input: inputNanoUsd / 1e9, output: outputNanoUsd / 1e9 }
  const perToken = { input: usd(inputNanoUsd / 1e6), output: usd(outputNanoUsd / 1e6), contextTokens: 32_768 }
  return {
    together: await simulateTogether({
      ...at,
      models: [another, ...names.map((name) => `t/${name}`)].map((id) => ({
        ...{ ...listed, id, type: 'chat', engine: 'b' },
      })),
    }),
    baseten: await simulateBaseten({
      ...at,
      models: names.map((id) => ({ ...perToken, id: `b/${id}`, engine: 'a' })),
      nanoUsdPerSecond: secondNanoUsd,
    }),
    runpod: await simulateRunpod({ ...at, nanoUsdPerSecond: secondNanoUsd, workers: 100 }),
    queue: await simulateRunpod({ ...at, nanoUsdPerSecond: secondNanoUsd, workers: 1 }),
  }
}

/** Models go by where they are, and by what they do there: `t/sim-echo`. */
function configOver({ together, baseten, runpod, queue }: Upstreams, names: readonly string[]) {
  // Long enough for a busy machine: only what stalls runs into them.
  const clocks = { connectMs: 10_000, firstTokenMs: 1500, idleMs: 1500, totalMs: 4000 }
  const common = { clocks, retryDelayMs: 1 }
  const price = { input: inputNanoUsd / 1e9, output: outputNanoUsd / 1e9 }
  const timed = { perSecond: usd(secondNanoUsd) }
  const at = (provider: string, model: string, cost: object) => ({ provider, model, price: cost })
  const places = (name: string) => ({
    [`t/${name}`]: [at('together', `t/${name}`, price)],
    [`b/${name}`]: [at('shared', `b/${name}`, price)],
    [`d/${name}`]: [at('dedicated', name, timed)],
    [`j/${name}`]: [at('jobs', name, timed)],
    [`p/${name}`]: [at('path', name, timed)],
    // What breaks off continues at the second.
    [`c/${name}`]: [at('together', `t/${name}`, price), at('together', another, price)],
    [`q/${name}`]: [at('queue', name, timed), at('together', `t/${name}`, price)],
  })
  const lists = Object.assign({}, ...names.map(places)) as Record<string, readonly object[]>
  const endpoint = { type: 'runpod', endpointId: 'e', ...common }
  const file = {
    providers: {
      together: { type: 'together', baseUrl: `${together.origin}/v1`, ...common },
      shared: { type: 'baseten', baseUrl: `${baseten.origin}/v1`, ...common },
      dedicated: { type: 'baseten', baseUrl: baseten.origin, deployment: { model: 'abcd1234' }, ...common },
      jobs: { ...endpoint, baseUrl: `${runpod.origin}/v2`, mode: 'jobs', waitMs: 1000 },
      path: { ...endpoint, baseUrl: `${runpod.origin}/v2` },
      queue: { ...endpoint, baseUrl: `${queue.origin}/v2` },
    },
    models: Object.fromEntries(
      Object.entries(lists).map(([name, deployments]) => [name, { route: 'fallback', deployments }]),
    ),
    hedging: { enabled: true, share: 1 },
  }
  const {
    providers: made,
    routes,
    hedging,
  } = loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
  return { providers: made, routes, hedging, demo: false }
}

/** Decimal text of USD. */
function usd(nanoUsd: number): string {
  return (nanoUsd / 1e9).toFixed(9)
}
