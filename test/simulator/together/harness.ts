import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import { type TogetherModel, togetherModels } from '../../../src/simulator/together/models.ts'
import { simulateTogether, type TogetherOptions } from '../../../src/simulator/together/together.ts'
import { type Outcome, type Visit, visitOf } from '../harness.ts'

export const chat = '/v1/chat/completions'
export const messages = [{ role: 'user', content: 'one two' }]

/** Of the first request. */
export const id = 'omSim1-3pDw3Z-a04673c1cf25a001'
export const created = 1_780_235_475

/** A Together on a free port, with some models of the older engine. */
export function start(options: Partial<TogetherOptions> = {}): Promise<SimulatedServer> {
  return simulateTogether({ host: '127.0.0.1', port: 0, models, ...options })
}

/** Asks, and leaves the rest to the test. */
export function open(server: SimulatedServer, path: string, body: object | string, headers = {}): Visit {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return visitOf(new URL(path, server.origin), text, headers, 'POST')
}

/** Asks, and waits for what comes of it; never rejects. */
export function ask(
  server: SimulatedServer,
  path: string,
  body: object | string,
  headers = {},
): Promise<Outcome> {
  return open(server, path, body, headers).outcome
}

export function get(server: SimulatedServer, path: string): Promise<Outcome> {
  return visitOf(new URL(path, server.origin), '', {}, 'GET').outcome
}

/** The data of each event, as it stands. */
export function eventsIn({ body }: Outcome): readonly string[] {
  return [...body.matchAll(/^data: (.*)\n\n/gm)].map(([, data = '']) => data)
}

const models: readonly TogetherModel[] = [
  ...togetherModels,
  ...['echo', 'length', 'tools-echo'].map(
    (behaviour): TogetherModel => ({
      id: `old/sim-${behaviour}`,
      ...{ type: 'chat', contextTokens: 100, input: 1, output: 2, engine: 'a' },
    }),
  ),
]
