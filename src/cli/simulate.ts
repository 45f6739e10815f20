import { parseArgs } from 'node:util'
import { simulateBaseten } from '../simulator/baseten.ts'
import { simulatePandotate } from '../simulator/pandotate.ts'
import { simulateRunpod } from '../simulator/runpod.ts'
import type { ServerOptions } from '../simulator/simulated-server.ts'
import { simulateTogether } from '../simulator/together.ts'
import type { Command } from './command.ts'
import { helpText } from './help.ts'
import { untilSignalled } from './signals.ts'

/** Serves an upstream's own wire format until it is interrupted. */
export const simulate: Command = async (words) => {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { port: { type: 'string', default: '9000' }, key: { type: 'string' } },
  })
  const port = Number(values.port)
  const [name = ''] = positionals
  const simulation = Object.hasOwn(simulations, name) ? simulations[name] : undefined
  if (positionals.length !== 1 || simulation === undefined || !isPort(port)) {
    process.stderr.write(helpText)
    return 2
  }
  const key = values.key === undefined ? {} : { key: values.key }
  await using server = await simulation({ host: '127.0.0.1', port, ...key })
  process.stdout.write(server.told)
  await untilSignalled()
  return 0
}

/** A simulated upstream that listens, and what a person is told of it. */
type Simulation = (options: Options) => Promise<AsyncDisposable & { readonly told: string }>

type Options = Pick<ServerOptions, 'host' | 'port' | 'key'>

const simulations: Readonly<Record<string, Simulation>> = {
  async pandotate(options) {
    const server = await simulatePandotate(options)
    return {
      told:
        `A simulated Pandotate answers at ${server.url}\n` +
        `Point a gateway at it: PANDOTATE_URL=${server.url} npm start\n`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
  async together(options) {
    const server = await simulateTogether(options)
    return {
      told: toldOf('Together.ai', `${server.origin}/v1`, server.origin),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
  async baseten(options) {
    const server = await simulateBaseten(options)
    return {
      told: toldOf('Baseten', `${server.origin}/v1`, server.origin),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
  async runpod(options) {
    const server = await simulateRunpod(options)
    return {
      told: toldOf('RunPod', `${server.origin}/v2`, server.origin),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

function toldOf(name: string, baseUrl: string, origin: string): string {
  return (
    `A simulated ${name} answers at ${baseUrl}\n` +
    `Point a provider of gateway.yaml at it: baseUrl: ${baseUrl}\n` +
    `What it would have charged: ${origin}/bill\n`
  )
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}
