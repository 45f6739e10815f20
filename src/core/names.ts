/** Names, each once, in the order they were told. */
export interface Names extends Iterable<string> {
  readonly size: number
  add(name: string): void
  has(name: string): boolean
}

/** No names yet. For most calls it stays so, and takes next to no room, where each Set takes 150 bytes. */
export function createNames(): Names {
  return new LazyNames()
}

/** The same names, kept apart from what is told later. */
export function copyOf(names: Names): Names {
  const copy = createNames()
  for (const name of names) copy.add(name)
  return copy
}

class LazyNames implements Names {
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
