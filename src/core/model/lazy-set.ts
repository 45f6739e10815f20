/** Names, each once, in the order they were told. */
export interface LazySet extends Iterable<string> {
  readonly size: number
  add(name: string): void
  has(name: string): boolean
}

/** No names yet. For most calls it stays so, and takes next to no room, where each Set takes 150 bytes. */
export function createLazySet(): LazySet {
  return new LazyNames()
}

/** The same names, kept apart from what is told later. */
export function copyOf(names: LazySet): LazySet {
  const copy = createLazySet()
  for (const name of names) copy.add(name)
  return copy
}

class LazyNames implements LazySet {
  #told: Set<string> | undefined

  get size(): number {
    return this.#told?.size ?? 0
  }

  add(name: string): void {
    this.#told ??= new Set()
    this.#told.add(name)
  }

  has(name: string): boolean {
    return this.#told?.has(name) === true
  }

  [Symbol.iterator](): Iterator<string> {
    return (this.#told ?? none)[Symbol.iterator]()
  }
}

const none: ReadonlySet<string> = new Set()
