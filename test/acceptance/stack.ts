import OpenAI, { type ClientOptions } from 'openai'
import { type GatewayOptions, type GatewayProcess, startGateway } from './gateway-process.ts'
import { createWitness, type Witness } from './openai/recorded-fetch.ts'
import { startSimulatedPandotate } from './simulated-pandotate.ts'

/**
 * A gateway, what is behind it, and a witness of what it answers. Disposed of, all of it must have stopped in good
 * order, and the witness have found no fault.
 */
export type Stack = AsyncDisposable & { readonly gateway: GatewayProcess; readonly witness: Witness }

/** One whose upstream is a simulated Pandotate. */
export type PandotateStack = Stack & { readonly pandotateUrl: string }

/** The key of the gateway's own, which must never be seen outside of it. */
export const gatewayKey = 'pk_canary_of_the_gateway'

/** A gateway before a simulated Pandotate, two processes. */
export async function startStack(options: GatewayOptions = {}): Promise<PandotateStack> {
  await using starting = new AsyncDisposableStack()
  const { url } = starting.use(await startSimulatedPandotate())
  const stack = starting.use(await startBefore(url, options))
  const started = starting.move()
  return { ...stack, pandotateUrl: url, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** A gateway before a Pandotate that is there already. It has a key, and waits a millisecond before a retry. */
export function startBefore(url: string, options: GatewayOptions = {}): Promise<Stack> {
  const environment = {
    PANDOTATE_URL: url,
    PANDOTATE_API_KEY: gatewayKey,
    PANDOTATE_RETRY_DELAY_MS: '1',
    ...options.environment,
  }
  return startAlone({ ...options, environment })
}

/** A gateway without any configuration, or with that of the options alone. */
export async function startAlone(options: GatewayOptions = {}): Promise<Stack> {
  const gateway = await startGateway(options)
  const witness = createWitness()
  return {
    gateway,
    witness,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      if (witness.faults.length > 0) throw new Error(witness.faults.join('\n\n'))
    },
  }
}

/** The official client, watched, that tries once. */
export function createClient({ gateway, witness }: Stack, options: ClientOptions = {}): OpenAI {
  const { fetch } = witness
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 0, fetch, ...options })
}
