import type {
  PackedResponse,
  RecalledResponses,
  ResponseShelf,
  WantedResponses,
} from '../../core/model/response-shelf.ts'
import type { Peer } from './peer.ts'

/** The primary's stored responses, for another process. */
export function createPrimaryResponses(primary: Pick<Peer, 'ask'>): ResponseShelf {
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

/** The primary's side. */
export function serveResponses(worker: Pick<Peer, 'serve'>, shelf: ResponseShelf): void {
  worker.serve({
    'responses.put': (tenant: string, response: PackedResponse) => shelf.put(tenant, response),
    'responses.find': (tenant: string, id: string) => shelf.find(tenant, id),
    'responses.recall': (tenant: string, wanted: WantedResponses) => shelf.recall(tenant, wanted),
    'responses.remove': (tenant: string, id: string) => shelf.remove(tenant, id),
  })
}
