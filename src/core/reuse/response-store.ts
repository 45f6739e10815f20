import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, parseJson, spell } from '../model/json/json.ts'
import { nodesOf } from '../model/json/json-scan.ts'
import { createLruMap, type LruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'

/** Responses that callers may come back to. Each is visible only to the tenant it was made for. */
export interface ResponseStore {
  /** Keeps a response, unless it is too big; older ones make room. */
  put(tenant: string, response: StoredResponse): void
  find(tenant: string, id: string): StoredResponse | undefined
  /** The input and output items that have these ids, by id. Throws Failure `context_length` as `conversation` does. */
  findItems(tenant: string, ids: Iterable<string>): ReadonlyMap<string, JsonObject>
  /**
   * What was said up to a response and in it, the first item first. Throws Failure `invalid_request` when it is not
   * there, or one that it went on from is not, and `context_length` when it is more than may be put together.
   */
  conversation(tenant: string, id: string): readonly JsonObject[]
  /** False when there was none. */
  remove(tenant: string, id: string): boolean
}

export type StoredResponse = {
  readonly id: string
  /** The response that it went on from. */
  readonly previousId: string | undefined
  /** The items of its own request, each with an id. */
  readonly input: readonly JsonObject[]
  /** As it was answered. */
  readonly response: JsonObject
}

export type StoreBounds = {
  readonly entries: number
  /** Of memory, counted so that it is rather less than said. */
  readonly bytes: number
  /** Of what is put together for one request: a few words may ask for all that is kept. */
  readonly requestBytes: number
  /** And how many members and containers they may unpack to. */
  readonly requestNodes: number
  /** Since it was last used, in milliseconds. */
  readonly ttlMs: number
}

/** A day for thousands of conversations of ordinary length. */
export const defaultStoreBounds: StoreBounds = {
  entries: 10_000,
  bytes: 128 * 2 ** 20,
  requestBytes: 48 * 2 ** 20,
  requestNodes: 200_000,
  ttlMs: 86_400_000,
}

/**
 * A store in memory. Where something has to make room, it is what the tenant who holds most has not used for
 * longest; going on from a response uses all that came before it.
 */
export function createResponseStore(
  clock: Pick<Clock, 'now'>,
  bounds: StoreBounds = defaultStoreBounds,
): ResponseStore {
  const shelf = new Shelf(clock, bounds)
  return {
    put: (tenant, response) => shelf.put(tenant, packed(tenant, response)),
    find(tenant, id) {
      const entry = shelf.use(tenant, id)
      return entry && unpacked(entry)
    },
    findItems(tenant, ids) {
      const wanted = new Set(ids)
      const holders = new Set<Entry>()
      for (const id of wanted) {
        const holder = shelf.useHolder(tenant, id)
        if (holder !== undefined) holders.add(holder)
      }
      const items = [...holders].flatMap(unpacking(bounds)).filter(({ id }) => wanted.has(spell(id)))
      return new Map(items.map((item) => [spell(item['id']), item]))
    },
    conversation(tenant, id) {
      const turns: Entry[] = []
      let next: string | undefined = id
      while (next !== undefined) {
        const entry = shelf.use(tenant, next)
        if (entry === undefined) throw notKept(next)
        turns.push(entry)
        next = entry.previousId
      }
      return turns.reverse().flatMap(unpacking(bounds))
    },
    remove: (tenant, id) => shelf.remove(tenant, id),
  }
}

/** Entries within the bounds of them all, those of a tenant found by the ids of their items too. */
class Shelf {
  readonly #clock: Pick<Clock, 'now'>
  readonly #ttlMs: number
  readonly #entries: LruMap<Entry>
  /** The key of the response that holds an item, by the item's. */
  readonly #holders = new Map<string, string>()

  constructor(clock: Pick<Clock, 'now'>, { entries, bytes, ttlMs }: StoreBounds) {
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#entries = createLruMap<Entry>({ maxEntries: entries, maxBytes: bytes }, (entry) =>
      this.#forgetItems(entry),
    )
  }

  put(tenant: string, entry: Entry): void {
    const key = keyOf(tenant, entry.id)
    const before = this.#entries.peek(key)
    if (!this.#entries.set(key, entry, { owner: tenant, bytes: entry.bytes })) return
    if (before !== undefined) this.#forgetItems(before)
    entry.expiresAt = this.#clock.now() + this.#ttlMs
    for (const id of entry.itemIds) this.#holders.set(keyOf(tenant, id), key)
  }

  use(tenant: string, id: string): Entry | undefined {
    return this.#use(tenant, keyOf(tenant, id))
  }

  /** As `use`, by the id of an item. */
  useHolder(tenant: string, itemId: string): Entry | undefined {
    const key = this.#holders.get(keyOf(tenant, itemId))
    return key === undefined ? undefined : this.#use(tenant, key)
  }

  remove(tenant: string, id: string): boolean {
    const entry = this.use(tenant, id)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  #use(tenant: string, key: string): Entry | undefined {
    const now = this.#clock.now()
    // What is used moves to the end: those that are too old are the first.
    let oldest = this.#entries.oldest(tenant)
    while (oldest !== undefined && now >= oldest.expiresAt) {
      this.#remove(oldest)
      oldest = this.#entries.oldest(tenant)
    }
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.expiresAt = now + this.#ttlMs
    return entry
  }

  #remove(entry: Entry): void {
    this.#entries.delete(keyOf(entry.tenant, entry.id))
    this.#forgetItems(entry)
  }

  #forgetItems({ tenant, id, itemIds }: Entry): void {
    const key = keyOf(tenant, id)
    for (const itemId of itemIds) {
      const item = keyOf(tenant, itemId)
      if (this.#holders.get(item) === key) this.#holders.delete(item)
    }
  }
}

/** With the tenant's length, so that no two pairs make one key. */
function keyOf(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}

/** As text: its size is known, and thousands of small objects would keep the garbage collector busy. */
type Entry = {
  readonly tenant: string
  readonly id: string
  readonly previousId: string | undefined
  readonly text: string
  readonly itemIds: readonly string[]
  readonly bytes: number
  /** What it unpacks to: its members and containers. */
  readonly nodes: number
  expiresAt: number
}

function packed(tenant: string, { id, previousId, ...said }: StoredResponse): Entry {
  const text = JSON.stringify(said)
  const itemIds = itemsOf(said).flatMap(({ id: itemId }) => (typeof itemId === 'string' ? [itemId] : []))
  const bytes = entryBytes + 2 * text.length + itemIds.length * itemIdBytes
  const nodes = nodesOf(text, Number.POSITIVE_INFINITY)
  return { tenant, id, previousId, text, itemIds, bytes, nodes, expiresAt: 0 }
}

/** What an entry takes besides its text, and each of its items' ids, about; a character takes two bytes at most. */
const entryBytes = 512
const itemIdBytes = 256

function unpacked({ id, previousId, text }: Entry): StoredResponse {
  // The text was made from just these.
  return { id, previousId, ...(parseJson(text) as Pick<StoredResponse, 'input' | 'response'>) }
}

/** It names the one that is missing, which need not be the one that was asked for. */
function notKept(id: string): Failure {
  return new Failure('invalid_request', `Previous response with id '${id.slice(0, 100)}' not found.`, {
    param: 'previous_response_id',
    code: 'previous_response_not_found',
  })
}

/** Gives the items of one entry after the other, up to the bound on them all. */
function unpacking({ requestBytes, requestNodes }: StoreBounds): (entry: Entry) => readonly JsonObject[] {
  let bytes = 0
  let nodes = 0
  return (entry) => {
    bytes += entry.bytes
    nodes += entry.nodes
    if (bytes <= requestBytes && nodes <= requestNodes) return itemsOf(unpacked(entry))
    const message = 'What this request goes on from is more than this gateway can put together.'
    throw new Failure('context_length', message, { param: 'input' })
  }
}

function itemsOf({ input, response }: Pick<StoredResponse, 'input' | 'response'>): readonly JsonObject[] {
  const { output } = response
  return [...input, ...(Array.isArray(output) ? output.filter(isObject) : [])]
}
