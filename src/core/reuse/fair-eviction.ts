/** What is kept in a common place, for somebody. */
export type Kept = { readonly owner: string; readonly bytes: number }

/** The bounds of a common place. */
export type PlaceBounds = { readonly maxEntries: number; readonly maxBytes: number }

/**
 * Counts who holds how much of a shared store, and says whose oldest entry to evict when it is full: that of the one who
 * has most. Who puts in a thousand pushes out their own, and nobody else's.
 */
export class FairEviction<Entry extends Kept> {
  readonly #bounds: PlaceBounds
  readonly #shelves = new Map<string, Shelf<Entry>>()

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds
  }

  /** As the latest of its owner's. */
  add(entry: Entry): void {
    const shelf = this.#shelfOf(entry.owner)
    shelf.entries.add(entry)
    shelf.bytes += entry.bytes
  }

  /** Before its size changes, too: it is added again after. */
  remove(entry: Entry): void {
    const shelf = this.#shelfOf(entry.owner)
    if (shelf.entries.delete(entry)) shelf.bytes -= entry.bytes
    this.#clear(entry.owner, shelf)
  }

  /** Counts what an owner has there and cannot be made to go, or has no longer. */
  weigh(owner: string, entries: number, bytes: number): void {
    const shelf = this.#shelfOf(owner)
    shelf.fixed += entries
    shelf.bytes += bytes
    this.#clear(owner, shelf)
  }

  /**
   * What is to go for this one: the oldest of the one that holds the largest part, in number or in bytes, and more
   * than this one has; else this one's own oldest. Undefined where there is none.
   */
  next(owner: string): Entry | undefined {
    const own = this.#shelves.get(owner)
    let largest = own?.entries.size === 0 ? undefined : own
    let most = own === undefined ? 0 : this.#partOf(own)
    for (const shelf of this.#shelves.values()) {
      if (shelf.entries.size === 0 || this.#partOf(shelf) <= most) continue
      most = this.#partOf(shelf)
      largest = shelf
    }
    for (const oldest of largest?.entries ?? []) return oldest
    return undefined
  }

  #partOf({ entries, fixed, bytes }: Shelf<Entry>): number {
    const { maxEntries, maxBytes } = this.#bounds
    return Math.max((entries.size + fixed) / maxEntries, bytes / maxBytes)
  }

  #shelfOf(owner: string): Shelf<Entry> {
    const shelf = this.#shelves.get(owner) ?? { entries: new Set(), fixed: 0, bytes: 0 }
    this.#shelves.set(owner, shelf)
    return shelf
  }

  #clear(owner: string, { entries, fixed }: Shelf<Entry>): void {
    if (entries.size === 0 && fixed === 0) this.#shelves.delete(owner)
  }
}

type Shelf<Entry> = { readonly entries: Set<Entry>; fixed: number; bytes: number }
