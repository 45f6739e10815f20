import { createLruMap, type LruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'
import type {
  PackedResponse,
  RecalledResponses,
  ResponseStorage,
  WantedResponses,
} from '../model/response-storage.ts'

export type StorageBounds = {
  readonly maxEntries: number
  /** Limit of memory. Sizes are estimated on the high side. */
  readonly maxBytes: number
  /** Counted from the last use. */
  readonly ttlMs: number
}

/** Responses in the memory of this process. */
export interface MemoryResponses extends ResponseStorage {
  put(tenant: string, response: PackedResponse): void
  find(tenant: string, id: string): PackedResponse | undefined
  recall(tenant: string, wanted: WantedResponses): RecalledResponses
  remove(tenant: string, id: string): boolean
  /** The responses of all tenants. */
  entries(): Iterable<readonly [tenant: string, response: PackedResponse]>
  readonly size: number
}

export function createMemoryResponses(clock: Pick<Clock, 'now'>, bounds: StorageBounds): MemoryResponses {
  return new MemoryStorage(clock, bounds)
}

type Entry = { readonly tenant: string; readonly response: PackedResponse; expiresAt: number }

class MemoryStorage implements MemoryResponses {
  readonly #clock: Pick<Clock, 'now'>
  readonly #ttlMs: number
  readonly #entries: LruMap<Entry>
  /** The key of the response that contains an item, by the item's key. */
  readonly #holders = new Map<string, string>()

  constructor(clock: Pick<Clock, 'now'>, { maxEntries, maxBytes, ttlMs }: StorageBounds) {
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#entries = createLruMap<Entry>({ maxEntries, maxBytes }, (entry) => this.#forgetItems(entry))
  }

  get size(): number {
    return this.#entries.size
  }

  put(tenant: string, response: PackedResponse): void {
    const key = keyOf(tenant, response.id)
    const before = this.#entries.peek(key)
    const entry = { tenant, response, expiresAt: this.#clock.now() + this.#ttlMs }
    if (!this.#entries.set(key, entry, { owner: tenant, bytes: response.bytes })) return
    if (before !== undefined) this.#forgetItems(before)
    for (const id of response.itemIds) this.#holders.set(keyOf(tenant, id), key)
  }

  find(tenant: string, id: string): PackedResponse | undefined {
    return this.#use(tenant, keyOf(tenant, id))
  }

  recall(tenant: string, { id, itemIds, bytes, nodes }: WantedResponses): RecalledResponses {
    const conversation: PackedResponse[] = []
    const left = { bytes, nodes }
    let next = id
    while (next !== undefined && left.bytes >= 0 && left.nodes >= 0) {
      const response = this.find(tenant, next)
      if (response === undefined) break
      conversation.push(response)
      left.bytes -= response.bytes
      left.nodes -= response.nodes
      next = response.previousId
    }
    const isCut = left.bytes < 0 || left.nodes < 0
    return {
      conversation,
      missing: isCut ? undefined : next,
      holders: this.#holdersOf(tenant, itemIds, bytes, nodes),
    }
  }

  remove(tenant: string, id: string): boolean {
    const key = keyOf(tenant, id)
    if (this.#use(tenant, key) === undefined) return false
    this.#remove(key)
    return true
  }

  *entries(): Iterable<readonly [string, PackedResponse]> {
    for (const { tenant, response } of this.#entries.values()) yield [tenant, response]
  }

  #holdersOf(tenant: string, itemIds: readonly string[], bytes: number, nodes: number): PackedResponse[] {
    const keys = new Set(itemIds.map((id) => this.#holders.get(keyOf(tenant, id))))
    const holders: PackedResponse[] = []
    const left = { bytes, nodes }
    for (const key of keys) {
      const response = key === undefined ? undefined : this.#use(tenant, key)
      if (response === undefined) continue
      holders.push(response)
      left.bytes -= response.bytes
      left.nodes -= response.nodes
      if (left.bytes < 0 || left.nodes < 0) break
    }
    return holders
  }

  #use(tenant: string, key: string): PackedResponse | undefined {
    const now = this.#clock.now()
    // Entries are in the order of use: expired ones come first.
    let oldest = this.#entries.oldest(tenant)
    while (oldest !== undefined && now >= oldest.expiresAt) {
      this.#remove(keyOf(tenant, oldest.response.id))
      oldest = this.#entries.oldest(tenant)
    }
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.expiresAt = now + this.#ttlMs
    return entry?.response
  }

  #remove(key: string): void {
    const entry = this.#entries.peek(key)
    this.#entries.delete(key)
    if (entry !== undefined) this.#forgetItems(entry)
  }

  #forgetItems({ tenant, response: { id, itemIds } }: Entry): void {
    const key = keyOf(tenant, id)
    for (const itemId of itemIds) {
      const item = keyOf(tenant, itemId)
      if (this.#holders.get(item) === key) this.#holders.delete(item)
    }
  }
}

/** Contains the tenant's length, so that different pairs never have the same key. */
function keyOf(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}
