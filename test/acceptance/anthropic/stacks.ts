import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import type { TogetherModel } from '../../../src/simulator/together/models.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { type GatewayProcess, startGateway } from '../gateway-process.ts'

/** A gateway as a process of its own, and the Together it asks, where it asks one. */
export type AnthropicStack = AsyncDisposable & {
  readonly gateway: GatewayProcess
  readonly together: SimulatedServer | undefined
}

type Kind = {
  readonly name: string
  /** Whether an answer that does not stream tells what was thought. */
  readonly thinksWhole: boolean
  readonly start: () => Promise<AnthropicStack>
}

/** Whatever answers, a message is a message: its own simulator, and Together's two engines over sockets. */
export const anthropicStacks: readonly Kind[] = [
  { name: 'with its own simulator', thinksWhole: true, start: () => startAlone() },
  { name: 'before Together’s older engine', thinksWhole: false, start: () => startBeforeTogether('a') },
  { name: 'before Together’s newer engine', thinksWhole: true, start: () => startBeforeTogether('b') },
]

export async function startBeforeTogether(
  engine: TogetherModel['engine'],
): Promise<AnthropicStack & { readonly together: SimulatedServer }> {
  await using starting = new AsyncDisposableStack()
  const models = behaviours.map((id) => ({
    id,
    type: 'chat' as const,
    ...{ contextTokens: 32_768, input: 1, output: 2, engine },
  }))
  const together = starting.use(await simulateTogether({ host: '127.0.0.1', port: 0, models }))
  const provider = `{ type: together, baseUrl: '${together.origin}/v1', apiKey: tgp_v1_any, retries: 0 }`
  const file = `
providers:
  together: ${provider}
catalog: { lists: false }
models:
  'sim-*':
    deployments: [{ provider: together }]
`
  const gateway = starting.use(await startGateway({ file }))
  const started = starting.move()
  return { gateway, together, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** With whatever other sections of a gateway.yaml. */
export async function startAlone(sections = ''): Promise<AnthropicStack> {
  const file = `
providers:
  simulator: { type: simulator }
models:
  'sim-*':
    deployments: [{ provider: simulator, retries: 0 }]
${sections}`
  const gateway = await startGateway({ file })
  return { gateway, together: undefined, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

/** Those that an engine has to write: a name that is not listed is run by the newer one. */
const behaviours = [
  ...['sim-echo', 'sim-reasoning-echo', 'sim-tools-echo', 'sim-reasoning-tools-echo', 'sim-length'],
  ...['sim-cut-2-echo', 'sim-reasoning-cut-3-echo', 'sim-tools-cut-2', 'sim-stall-2-echo'],
]
