import type {
  PackedResponse,
  RecalledResponses,
  ResponseStorage,
  WantedResponses,
} from '../../core/model/response-storage.ts'
import type { Peer } from './peer.ts'

/** The primary's stored responses, for a worker. */
export function createPrimaryResponses(primary: Pick<Peer, 'ask'>): ResponseStorage {
  return {
    async put(tenant, response) {
      // A response that the primary cannot store does not fail the call.
      await primary.ask('responses.put', tenant, response).catch(() => undefined)
    },
    async find(tenant, id) {
      return ((await primary.ask('responses.find', tenant, id)) ?? undefined) as PackedResponse | undefined
    },
    async recall(tenant, wanted) {
      const recalled = (await primary.ask('responses.recall', tenant, wanted)) as RecalledResponses
      return { ...recalled, missing: recalled.missing ?? undefined }
    },
    remove: async (tenant, id) => (await primary.ask('responses.remove', tenant, id)) === true,
  }
}

/** Serves a worker's requests, in the primary. */
export function serveResponses(worker: Pick<Peer, 'serve'>, storage: ResponseStorage): void {
  worker.serve({
    'responses.put': (tenant: string, response: PackedResponse) => storage.put(tenant, response),
    'responses.find': (tenant: string, id: string) => storage.find(tenant, id),
    'responses.recall': (tenant: string, wanted: WantedResponses) => storage.recall(tenant, wanted),
    'responses.remove': (tenant: string, id: string) => storage.remove(tenant, id),
  })
}
