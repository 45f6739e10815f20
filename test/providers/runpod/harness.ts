import type { Upstream } from '../../../src/core/model/ports.ts'
import { runpod } from '../../../src/providers/runpod/runpod.ts'
import {
  answer,
  type Behaviour,
  type RawRequest,
  type RawServer,
  startRawServer,
} from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

/** A RunPod made of bare sockets, and the upstream that speaks to it. */
export type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

export async function stage(behave: Behaviour, input: object = {}): Promise<Scene> {
  const server = await startRawServer(behave)
  const upstream = runpodAt(server.origin, input)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

export function runpodAt(origin: string, input: object = {}): Upstream {
  const given = { baseUrl: `${origin}/v2`, endpointId: 'ep1', apiKey: 'rpa_own_key', mode: 'jobs', ...input }
  return runpod.create('up', runpod.settings.parse(given), tools)
}

/** What the job API answers, operation by operation, each answer once; the last for as long as it is asked. */
export type Turns = Readonly<Record<string, readonly (object | Buffer)[]>>

/** A job API that answers by the list; what is not in it is met with silence. */
export function answering(turns: Turns): Behaviour {
  const taken = new Map<string, number>()
  return (socket, request) => {
    const operation = operationOf(request)
    const list = turns[operation] ?? []
    const turn = taken.get(operation) ?? 0
    taken.set(operation, turn + 1)
    const told = list[Math.min(turn, list.length - 1)]
    if (told !== undefined) socket.write(Buffer.isBuffer(told) ? told : answer(JSON.stringify(told)))
  }
}

/** `run` of `/v2/ep1/run`, `status` of `/v2/ep1/status/some-id`. */
export function operationOf({ path }: RawRequest): string {
  return path.split(/[/?]/)[3] ?? ''
}

/** What the endpoint was asked, in order. */
export function operationsAt(server: RawServer): readonly string[] {
  return server.requests.map(operationOf)
}
