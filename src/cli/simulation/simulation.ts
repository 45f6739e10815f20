import { simulateBaseten } from '../../simulator/baseten/baseten.ts'
import { simulatePandotate } from '../../simulator/pandotate/pandotate.ts'
import { operations } from '../../simulator/runpod/limits.ts'
import { simulateRunpod } from '../../simulator/runpod/runpod.ts'
import { simulateTogether } from '../../simulator/together/together.ts'
import type { AskedSimulation, SimulatedName } from './simulation-options.ts'

/** A listening simulated upstream, and the text that announces it. */
export type Simulation = AsyncDisposable & { readonly origin: string; readonly told: string }

/** Resolves when it listens on 127.0.0.1; rejects if it cannot. */
export async function openSimulation(asked: AskedSimulation): Promise<Simulation> {
  return await simulations[asked.name]({ ...asked, host: '127.0.0.1' })
}

type Asked = AskedSimulation & { readonly host: string }

const simulations: Readonly<Record<SimulatedName, (asked: Asked) => Promise<Simulation>>> = {
  async pandotate({ limit: most, ...asked }) {
    const server = await simulatePandotate({ ...asked, maxRequests: most })
    const { origin } = new URL(server.url)
    const told = `Point a gateway at it: PANDOTATE_URL=${server.url} npm start\n`
    return opened(server, origin, `A simulated Pandotate answers at ${server.url}\n${told}`)
  },
  async together({ limit: most, limitType: limit, price: otherPrice, ...asked }) {
    const server = await simulateTogether({ ...asked, maxRequests: most, limit, otherPrice })
    return opened(server, server.origin, pointedAt('Together.ai', `${server.origin}/v1`))
  },
  async baseten({ limit: most, price: otherPrice, ...asked }) {
    const server = await simulateBaseten({ ...asked, maxRequests: most, otherPrice })
    return opened(server, server.origin, pointedAt('Baseten', `${server.origin}/v1`))
  },
  async runpod({ limit, ...asked }) {
    const limits = limit === undefined ? {} : Object.fromEntries(operations.map((one) => [one, limit]))
    const server = await simulateRunpod({ ...asked, limits })
    return opened(server, server.origin, pointedAt('RunPod', `${server.origin}/v2`))
  },
}

function opened(server: AsyncDisposable, origin: string, told: string): Simulation {
  return {
    origin,
    told: `${told}What it would have charged: ${origin}/bill\n`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function pointedAt(name: string, baseUrl: string): string {
  return (
    `A simulated ${name} answers at ${baseUrl}\n` +
    `Point a provider of gateway.yaml at it: baseUrl: ${baseUrl}\n`
  )
}
