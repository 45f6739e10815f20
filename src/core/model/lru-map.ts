/**
 * A bounded LRU map. If entries have owners, the oldest entry of the owner with the largest share is evicted: a tenant
 * that adds a thousand entries evicts only its own.
 */
export interface LruMap<Value> {
  /** Counts as use. */
  get(key: string): Value | undefined
  /** Does not count as use. */
  peek(key: string): Value | undefined
  /** Adds it as its owner's most recent. False if there is no room. */
  set(key: string, value: Value, weight?: Weight): boolean
  /** False if it was not there. */
  delete(key: string): boolean
  /** Changes the weight of an entry, and makes room for it. False if it is not there, or had to be evicted. */
  grow(key: string, bytes: number): boolean
  /** Unpins an entry: it may be evicted from now on, and is its owner's most recent. */
  unpin(key: string): void
  /** By owner, each in the order of use. */
  values(): Iterable<Value>
  /** The least recently used entry of this owner that may be evicted. */
  oldest(owner: string): Value | undefined
  readonly size: number
  readonly pinned: number
  readonly bytes: number
}

export type LruBounds = { readonly maxEntries: number; readonly maxBytes?: number }

export type Weight = {
  readonly owner?: string
  readonly bytes?: number
  /** Pinned: it counts, but cannot be evicted. */
  readonly isPinned?: boolean
}

/** `dropped` is called for each evicted entry. */
export function createLruMap<Value>(
  bounds: number | LruBounds,
  dropped?: (value: Value, key: string) => void,
): LruMap<Value> {
  return new Lru(typeof bounds === 'number' ? { maxEntries: bounds } : bounds, dropped)
}

type Entry<Value> = {
  readonly key: string
  readonly share: Share<Value>
  value: Value
  bytes: number
  isPinned: boolean
  before: Entry<Value> | undefined
  after: Entry<Value> | undefined
}

class Lru<Value> implements LruMap<Value> {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #dropped: ((value: Value, key: string) => void) | undefined
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #shares = new Map<string, Share<Value>>()
  pinned = 0
  bytes = 0

  constructor(
    { maxEntries, maxBytes = Number.POSITIVE_INFINITY }: LruBounds,
    dropped: ((value: Value, key: string) => void) | undefined,
  ) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
    this.#dropped = dropped
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    entry.share.use(entry)
    return entry.value
  }

  peek(key: string): Value | undefined {
    return this.#entries.get(key)?.value
  }

  set(key: string, value: Value, { owner = '', bytes = 0, isPinned = false }: Weight = {}): boolean {
    if (bytes > this.#maxBytes || this.#maxEntries < 1) return false
    const known = this.#entries.get(key)
    if (known !== undefined) {
      if (known.share.owner === owner && known.bytes === bytes && known.isPinned === isPinned) {
        known.value = value
        known.share.use(known)
        return true
      }
      this.delete(key)
    }
    const share = this.#shareOf(owner)
    const entry = { key, share, value, bytes, isPinned, before: undefined, after: undefined }
    this.#entries.set(key, entry)
    share.entries++
    share.bytes += bytes
    this.bytes += bytes
    if (isPinned) this.pinned++
    else share.append(entry)
    return this.#makeRoomFor(entry)
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    const { share, bytes, isPinned } = entry
    this.#entries.delete(key)
    if (isPinned) this.pinned--
    else share.unlink(entry)
    share.entries--
    share.bytes -= bytes
    this.bytes -= bytes
    if (share.entries === 0) this.#shares.delete(share.owner)
    return true
  }

  grow(key: string, bytes: number): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    entry.bytes += bytes
    entry.share.bytes += bytes
    this.bytes += bytes
    return this.#makeRoomFor(entry)
  }

  unpin(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry?.isPinned) return
    entry.isPinned = false
    this.pinned--
    entry.share.append(entry)
  }

  *values(): Iterable<Value> {
    for (const { oldest } of this.#shares.values()) {
      for (let entry = oldest; entry !== undefined; entry = entry.after) yield entry.value
    }
  }

  oldest(owner: string): Value | undefined {
    return this.#shares.get(owner)?.oldest?.value
  }

  /** False if there is no room for it, and it was removed. */
  #makeRoomFor(entry: Entry<Value>): boolean {
    while (this.#entries.size > this.#maxEntries || this.bytes > this.#maxBytes) {
      const next = this.#nextEvicted(entry) ?? entry
      this.delete(next.key)
      if (next === entry) return false
      this.#dropped?.(next.value, next.key)
    }
    return true
  }

  /** The oldest entry of the owner with the largest share; this owner's oldest if no other share is larger. */
  #nextEvicted({ share: own }: Entry<Value>): Entry<Value> | undefined {
    if (this.#shares.size === 1) return own.oldest
    let largest = own.oldest
    let most = this.#partOf(own)
    for (const share of this.#shares.values()) {
      if (share.oldest === undefined || this.#partOf(share) <= most) continue
      most = this.#partOf(share)
      largest = share.oldest
    }
    return largest
  }

  /** The owner's part of the limits: in entries or in bytes, whichever is larger. */
  #partOf({ entries, bytes }: Share<Value>): number {
    return Math.max(entries / this.#maxEntries, bytes / this.#maxBytes)
  }

  #shareOf(owner: string): Share<Value> {
    const share = this.#shares.get(owner) ?? new Share<Value>(owner)
    this.#shares.set(owner, share)
    return share
  }
}

/**
 * The entries of one owner: a linked list of those that may be evicted. Use moves an entry in the list, not in the map.
 * Reordering a Map instead would leave a hole per move, and finding its oldest entry would skip thousands of holes.
 */
class Share<Value> {
  readonly owner: string
  oldest: Entry<Value> | undefined
  #latest: Entry<Value> | undefined
  /** Including pinned ones. */
  entries = 0
  bytes = 0

  constructor(owner: string) {
    this.owner = owner
  }

  use(entry: Entry<Value>): void {
    if (entry === this.#latest || entry.isPinned) return
    this.unlink(entry)
    this.append(entry)
  }

  append(entry: Entry<Value>): void {
    entry.before = this.#latest
    entry.after = undefined
    if (this.#latest === undefined) this.oldest = entry
    else this.#latest.after = entry
    this.#latest = entry
  }

  unlink({ before, after }: Entry<Value>): void {
    if (before === undefined) this.oldest = after
    else before.after = after
    if (after === undefined) this.#latest = before
    else after.before = before
  }
}
