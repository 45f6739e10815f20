import { type JsonScenario, postFor, type StreamScenario, smallChat } from '../setup/scenarios.ts'
import type { Target } from '../setup/targets.ts'
import type { Ask } from './jobs.ts'
import type { LoadClients } from './load-clients.ts'

/** A scenario's request, addressed to this target. */
export function askOf(target: Target, scenario: JsonScenario | StreamScenario): Ask {
  return { port: target.port, ...postFor(scenario, target) }
}

/** Sends so many small chat requests, as fast as they are answered. */
export async function sendRequests(target: Target, load: LoadClients, requests: number): Promise<void> {
  await load.together((clients, place) => ({
    kind: 'closed-loop',
    ask: askOf(target, smallChat),
    connections: Math.ceil(smallChat.connections / clients),
    durationMs: sendWithinMs,
    mostRequests: Math.floor(requests / clients) + (place < requests % clients ? 1 : 0),
  }))
}

/** After so many a server's code is compiled, and a slower one has had no fewer than a quick one. */
export const compilingRequests = 20_000

const sendWithinMs = 120_000
