import type { Upstream } from '../../../src/core/model/ports.ts'
import { baseten } from '../../../src/providers/baseten/baseten.ts'
import { type Behaviour, type RawServer, startRawServer } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

export type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

/** A Baseten made of bare sockets, and the provider that was told it is where Baseten is. */
export async function stage(behave: Behaviour, input: object = {}, path = ''): Promise<Scene> {
  const server = await startRawServer(behave)
  const settings = { baseUrl: server.origin + path, apiKey: 'very-own-key', ...input }
  const upstream = baseten.create('up', baseten.settings.parse(settings), tools)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
