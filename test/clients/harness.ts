import type { CallRecord } from '../../src/core/model/record/record.ts'
import { openaiCompatible } from '../../src/providers/openai/openai-compatible.ts'
import { together } from '../../src/providers/together/together.ts'
import type { SimulatedServer } from '../../src/simulator/server/simulated-server.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { openLimitedDoor } from './limited-door.ts'

/** A gateway of one client’s own on a port, and its upstreams. It asks none of them again: retries are the client’s. */
export type Stage = AsyncDisposable & {
  readonly url: string
  /** The key that the gateway asks for. */
  readonly key: string
  readonly upstream: SimulatedServer
  /** Every call that ended, in that order. */
  readonly records: readonly CallRecord[]
  /** The first record that satisfies, as soon as there is one. */
  recorded(satisfies: (record: CallRecord) => boolean): Promise<CallRecord>
}

/** Where the page of the browser's suite seems to be. */
export const pageOrigin = 'http://page.test'

/** Together's twin answers every model but `limited`, which is behind a door that says 429 twice. */
export async function openStage(): Promise<Stage> {
  await using starting = new AsyncDisposableStack()
  const upstream = starting.use(await simulateTogether({ host: '127.0.0.1', port: 0, key: upstreamKey }))
  const door = starting.use(await openLimitedDoor(upstream.origin))
  const gateway = starting.use(await startGatewayBefore(upstream.origin, door.origin))
  const started = starting.move()
  return {
    url: gateway.url,
    key,
    upstream,
    records: gateway.records,
    async recorded(satisfies) {
      for (let count = 1; ; count++) {
        await gateway.recorded(count)
        const record = gateway.records[count - 1]
        if (record !== undefined && satisfies(record)) return record
      }
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

const key = 'sk-gateway-0123456789'
const upstreamKey = 'tgp_v1_right'

function startGatewayBefore(upstream: string, door: string): Promise<TestGateway> {
  const settings = { baseUrl: `${upstream}/v1`, apiKey: upstreamKey }
  const limited = { baseUrl: `${door}/v1`, apiKey: upstreamKey }
  return startTestGateway({
    keys: [key],
    cors: { origins: [pageOrigin] },
    providers: [
      { name: 'together', type: 'together', settings: together.settings.parse(settings) },
      { name: 'limited', type: 'openai-compatible', settings: openaiCompatible.settings.parse(limited) },
    ],
    routes: [
      { pattern: 'limited', strategy: 'fallback', deployments: [{ provider: 'limited', retries: 0 }] },
      { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'together', retries: 0 }] },
    ],
    demo: false,
  })
}
