import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, parseJson, spell } from '../model/json/json.ts'
import { nodesOf } from '../model/json/json-scan.ts'
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
  const shelves = new Shelves(clock, bounds)
  return {
    put: (tenant, response) => shelves.put(tenant, packed(response)),
    find(tenant, id) {
      const entry = shelves.use(tenant, id)
      return entry && unpacked(entry)
    },
    findItems(tenant, ids) {
      const wanted = new Set(ids)
      const holders = new Set<Entry>()
      for (const id of wanted) {
        const holder = shelves.useHolder(tenant, id)
        if (holder !== undefined) holders.add(holder)
      }
      const items = [...holders].flatMap(unpacking(bounds)).filter(({ id }) => wanted.has(spell(id)))
      return new Map(items.map((item) => [spell(item['id']), item]))
    },
    conversation(tenant, id) {
      const turns: Entry[] = []
      let next: string | undefined = id
      while (next !== undefined) {
        const entry = shelves.use(tenant, next)
        if (entry === undefined) throw notKept(next)
        turns.push(entry)
        next = entry.previousId
      }
      return turns.reverse().flatMap(unpacking(bounds))
    },
    remove: (tenant, id) => shelves.remove(tenant, id),
  }
}

/** What is one tenant's. */
type Shelf = {
  readonly tenant: string
  /** In the order of use, the latest last. */
  readonly entries: Map<string, Entry>
  /** The response that holds an item, by the item's id. */
  readonly items: Map<string, string>
  bytes: number
}

/** Every tenant's shelf, none of them empty, within the bounds of them all. */
class Shelves {
  readonly #clock: Pick<Clock, 'now'>
  readonly #bounds: StoreBounds
  readonly #shelves = new Map<string, Shelf>()
  #entries = 0
  #bytes = 0

  constructor(clock: Pick<Clock, 'now'>, bounds: StoreBounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  put(tenant: string, entry: Entry): void {
    if (entry.bytes > this.#bounds.bytes) return
    this.remove(tenant, entry.id)
    const shelf = this.#shelves.get(tenant) ?? { tenant, entries: new Map(), items: new Map(), bytes: 0 }
    this.#shelves.set(tenant, shelf)
    entry.expiresAt = this.#clock.now() + this.#bounds.ttlMs
    shelf.entries.set(entry.id, entry)
    for (const id of entry.itemIds) shelf.items.set(id, entry.id)
    shelf.bytes += entry.bytes
    this.#bytes += entry.bytes
    this.#entries++
    while (this.#entries > this.#bounds.entries || this.#bytes > this.#bounds.bytes) this.#dropOne()
  }

  use(tenant: string, id: string): Entry | undefined {
    const shelf = this.#freshShelf(tenant)
    const entry = shelf?.entries.get(id)
    if (shelf === undefined || entry === undefined) return undefined
    entry.expiresAt = this.#clock.now() + this.#bounds.ttlMs
    shelf.entries.delete(id)
    shelf.entries.set(id, entry)
    return entry
  }

  /** As `use`, by the id of an item. */
  useHolder(tenant: string, itemId: string): Entry | undefined {
    const id = this.#shelves.get(tenant)?.items.get(itemId)
    return id === undefined ? undefined : this.use(tenant, id)
  }

  remove(tenant: string, id: string): boolean {
    const shelf = this.#freshShelf(tenant)
    const entry = shelf?.entries.get(id)
    if (shelf === undefined || entry === undefined) return false
    this.#drop(shelf, entry)
    return true
  }

  /** Without what is too old. */
  #freshShelf(tenant: string): Shelf | undefined {
    const shelf = this.#shelves.get(tenant)
    for (const oldest of shelf?.entries.values() ?? []) {
      if (shelf === undefined || this.#clock.now() < oldest.expiresAt) break
      this.#drop(shelf, oldest)
    }
    return shelf
  }

  #dropOne(): void {
    let fullest: Shelf | undefined
    for (const shelf of this.#shelves.values()) {
      if (fullest === undefined || this.#partOf(shelf) > this.#partOf(fullest)) fullest = shelf
    }
    const [oldest] = fullest?.entries.values() ?? []
    if (fullest !== undefined && oldest !== undefined) this.#drop(fullest, oldest)
  }

  /** Of the room, in number or in bytes. */
  #partOf({ entries, bytes }: Shelf): number {
    return Math.max(entries.size / this.#bounds.entries, bytes / this.#bounds.bytes)
  }

  #drop(shelf: Shelf, entry: Entry): void {
    shelf.entries.delete(entry.id)
    for (const id of entry.itemIds) if (shelf.items.get(id) === entry.id) shelf.items.delete(id)
    shelf.bytes -= entry.bytes
    this.#bytes -= entry.bytes
    this.#entries--
    if (shelf.entries.size === 0) this.#shelves.delete(shelf.tenant)
  }
}

/** As text: its size is known, and thousands of small objects would keep the garbage collector busy. */
type Entry = {
  readonly id: string
  readonly previousId: string | undefined
  readonly text: string
  readonly itemIds: readonly string[]
  readonly bytes: number
  /** What it unpacks to: its members and containers. */
  readonly nodes: number
  expiresAt: number
}

function packed({ id, previousId, ...said }: StoredResponse): Entry {
  const text = JSON.stringify(said)
  const itemIds = itemsOf(said).flatMap(({ id: itemId }) => (typeof itemId === 'string' ? [itemId] : []))
  const bytes = entryBytes + 2 * text.length + itemIds.length * itemIdBytes
  const nodes = nodesOf(text, Number.POSITIVE_INFINITY)
  return { id, previousId, text, itemIds, bytes, nodes, expiresAt: 0 }
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
