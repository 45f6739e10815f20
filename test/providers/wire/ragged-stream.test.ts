import { expect, test } from 'vitest'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { baseten } from '../../../src/providers/baseten/baseten.ts'
import { runpod } from '../../../src/providers/runpod/runpod.ts'
import { together } from '../../../src/providers/together/together.ts'
import { simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import { simulateRunpod } from '../../../src/simulator/runpod/runpod.ts'
import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { tools } from '../../harness/tools.ts'

const here = { host: '127.0.0.1', port: 0 }
const started: readonly [string, () => Promise<SimulatedServer>, (origin: string) => Upstream][] = [
  [
    'Together',
    () => simulateTogether(here),
    (origin) => together.create('up', together.settings.parse({ baseUrl: `${origin}/v1` }), tools),
  ],
  [
    'Baseten',
    () => simulateBaseten(here),
    (origin) => baseten.create('up', baseten.settings.parse({ baseUrl: `${origin}/v1` }), tools),
  ],
  [
    'RunPod, by its OpenAI path',
    () => simulateRunpod(here),
    (origin) => {
      const input = { baseUrl: `${origin}/v2`, endpointId: 'ep1' }
      return runpod.create('up', runpod.settings.parse(input), tools)
    },
  ],
]

test.for(started)(
  'a stream of %s in single bytes, of any width of character, is read',
  async ([, start, create]) => {
    const said = 'héllo wörld — 世界 👋🏽 end'
    await using server = await start()
    const upstream = create(server.origin)
    const body = { messages: [{ role: 'user', content: said }] }
    const asked = call({ model: 'org/sim-ragged-echo', kind: 'chat', stream: true, body })
    const told = await tell(upstream, asked)
    expect(told).toMatchObject({ text: said, reason: 'stop', failure: undefined })
    expect(told.usage?.['completion_tokens']).toBe(server.bill()[0]?.completionTokens)
    await upstream.close()
  },
)
