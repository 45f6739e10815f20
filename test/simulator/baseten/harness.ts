import { type BasetenOptions, simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import { type Outcome, type Visit, visitOf } from '../harness.ts'

export const chat = '/v1/chat/completions'
export const messages = [{ role: 'user', content: 'one two' }]
export const usage = { stream: true, stream_options: { include_usage: true } }

/** A Baseten on a free port. */
export function start(options: Partial<BasetenOptions> = {}): Promise<SimulatedServer> {
  return simulateBaseten({ host: '127.0.0.1', port: 0, ...options })
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

export function get(server: SimulatedServer, path: string, headers = {}): Promise<Outcome> {
  return visitOf(new URL(path, server.origin), '', headers, 'GET').outcome
}

/** What each event holds, parsed, but for the terminator. */
export function eventsIn({ body }: Outcome): readonly unknown[] {
  const events = [...body.matchAll(/^data: (.*)\n\n/gm)].map(([, data = '']) => data)
  return events.map((data) => (data === '[DONE]' ? data : JSON.parse(data)))
}
