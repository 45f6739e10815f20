import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, parseJson, spell } from '../model/json/json.ts'
import { nodesOf } from '../model/json/json-scan.ts'
import type { PackedResponse, Recollection, ResponseStorage } from '../model/response-storage.ts'

/** Responses that later requests may refer to. Each is visible only to its tenant. */
export interface ResponseStore {
  /** Resolves, and never rejects, once all processes can find it; undefined: they already can. */
  put(tenant: string, response: StoredResponse): Promise<void> | undefined
  find(tenant: string, id: string): Promise<StoredResponse | undefined>
  /** Loads a response with its whole history, and the items with these ids. */
  recall(tenant: string, previousId: string | undefined, itemIds: readonly string[]): Promise<Recollection>
  /** False if there was none. */
  remove(tenant: string, id: string): Promise<boolean>
}

export type StoredResponse = {
  readonly id: string
  /** The response that it continues. */
  readonly previousId: string | undefined
  /** The items of its own request, each with an id. */
  readonly input: readonly JsonObject[]
  /** The response as the caller got it. */
  readonly response: JsonObject
}

/** Limits on what one request may load: a short request may refer to everything that is stored. */
export type RecallBounds = {
  readonly bytes: number
  /** How many members and containers it may unpack to. */
  readonly nodes: number
}

export const defaultRecallBounds: RecallBounds = { bytes: 48 * 2 ** 20, nodes: 200_000 }

export function createResponseStore(
  storage: ResponseStorage,
  bounds: RecallBounds = defaultRecallBounds,
): ResponseStore {
  return {
    put(tenant, response) {
      const put = storage.put(tenant, packed(response))
      return put instanceof Promise ? put : undefined
    },
    async find(tenant, id) {
      const found = await storage.find(tenant, id)
      return found && unpacked(found)
    },
    async recall(tenant, id, itemIds) {
      const recalled = await storage.recall(tenant, { id, itemIds, ...bounds })
      return {
        conversation() {
          const items = recalled.conversation.map(unpacking(bounds))
          if (recalled.missing !== undefined) throw notFound(recalled.missing)
          return items.reverse().flat()
        },
        findItems(ids) {
          const items = recalled.holders.flatMap(unpacking(bounds)).filter(({ id }) => ids.has(spell(id)))
          return new Map(items.map((item) => [spell(item['id']), item]))
        },
      }
    },
    remove: async (tenant, id) => await storage.remove(tenant, id),
  }
}

function packed({ id, previousId, ...content }: StoredResponse): PackedResponse {
  const text = JSON.stringify(content)
  const itemIds = itemsOf(content).flatMap(({ id: itemId }) => (typeof itemId === 'string' ? [itemId] : []))
  const bytes = entryBytes + 2 * text.length + itemIds.length * itemIdBytes
  const nodes = Math.ceil(nodesOf(text, Number.POSITIVE_INFINITY))
  return { id, previousId, text, itemIds, bytes, nodes }
}

/** The approximate size of an entry without its text, and of each item's id; a character takes two bytes at most. */
const entryBytes = 512
const itemIdBytes = 256

function unpacked({ id, previousId, text }: PackedResponse): StoredResponse {
  // `packed` made the text from these members.
  return { id, previousId, ...(parseJson(text) as Pick<StoredResponse, 'input' | 'response'>) }
}

/** Names the missing response, which need not be the requested one. */
function notFound(id: string): Failure {
  return new Failure('invalid_request', `Previous response with id '${id.slice(0, 100)}' not found.`, {
    param: 'previous_response_id',
    code: 'previous_response_not_found',
  })
}

/** Unpacks the items of one entry after another, within one common limit. */
function unpacking(bounds: RecallBounds): (entry: PackedResponse) => readonly JsonObject[] {
  let bytes = 0
  let nodes = 0
  return (entry) => {
    bytes += entry.bytes
    nodes += entry.nodes
    if (bytes <= bounds.bytes && nodes <= bounds.nodes) return itemsOf(unpacked(entry))
    const message = 'The conversation that this request continues is longer than this gateway can load.'
    throw new Failure('context_length', message, { param: 'input' })
  }
}

function itemsOf({ input, response }: Pick<StoredResponse, 'input' | 'response'>): readonly JsonObject[] {
  const { output } = response
  return [...input, ...(Array.isArray(output) ? output.filter(isObject) : [])]
}
