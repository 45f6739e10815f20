import OpenAI, { type ClientOptions } from 'openai'
import type { Config } from '../../../src/config.ts'
import { together } from '../../../src/providers/together/together.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { createWitness } from '../openai/recorded-fetch.ts'

/** A gateway, and how the official client is made for it. */
export type ResponsesStage = AsyncDisposable & {
  readonly gateway: TestGateway
  client(options?: ClientOptions): OpenAI
}

/** What a response can be made by: one that answers within the gateway, and one that is asked over a socket. */
export const stages = [
  { name: 'the simulator', start: () => startResponses() },
  { name: 'a simulated Together', start: startBeforeTogether },
]

/** Disposed of, the witness of what the clients were answered must have found no fault. */
export async function startResponses(overrides: Partial<Config> = {}): Promise<ResponsesStage> {
  const gateway = await startTestGateway(overrides)
  const { fetch, faults } = createWitness()
  return {
    gateway,
    client: (options) =>
      new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 0, fetch, ...options }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      if (faults.length > 0) throw new Error(faults.join('\n\n'))
    },
  }
}

async function startBeforeTogether(): Promise<ResponsesStage> {
  await using starting = new AsyncDisposableStack()
  const key = 'tgp_v1_right'
  const server = starting.use(await simulateTogether({ host: '127.0.0.1', port: 0, key }))
  const settings = together.settings.parse({ baseUrl: `${server.origin}/v1`, apiKey: key })
  const stage = starting.use(
    await startResponses({
      providers: [{ name: 'together', type: 'together', settings }],
      routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'together' }] }],
      demo: false,
    }),
  )
  const started = starting.move()
  return { ...stage, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
