/**
 * Names, each once, in the order they were told. They go into logs and headers, and a part of one may be a caller's or an
 * upstream's own word: so many and no more are kept, and of a word that is none, or too long, only what it is below.
 */
export interface LazySet extends Iterable<string> {
  readonly size: number
  add(name: string): void
  has(name: string): boolean
}

/** No names yet. For most calls it stays so, and takes next to no room, where each Set takes 150 bytes. */
export function createLazySet(): LazySet {
  return new LazyNames()
}

/** The same for phrases of the gateway's own, which hold no one else's words: `messages to prompt (llama3)`. */
export function createPhraseSet(): LazySet {
  return new LazyNames((phrase) => phrase)
}

/** The same names, kept apart from what is told later. */
export function copyOf(names: LazySet): LazySet {
  const copy = createLazySet()
  for (const name of names) copy.add(name)
  return copy
}

class LazyNames implements LazySet {
  readonly #nameOf: (name: string) => string
  #told: Set<string> | undefined

  constructor(bounded: (name: string) => string = nameOf) {
    this.#nameOf = bounded
  }

  get size(): number {
    return this.#told?.size ?? 0
  }

  add(name: string): void {
    this.#told ??= new Set()
    if (this.#told.size < mostNames) this.#told.add(this.#nameOf(name))
  }

  has(name: string): boolean {
    return this.#told?.has(name) === true
  }

  [Symbol.iterator](): Iterator<string> {
    return (this.#told ?? none)[Symbol.iterator]()
  }
}

const mostNames = 64
const longestName = 64

/** `tools.` and a caller's kilobytes is `tools.*`. */
function nameOf(name: string): string {
  if (name.length <= longestName && isName.test(name)) return name
  const head = /^[\w-]{1,32}(?=\.)/.exec(name)?.[0]
  return head === undefined ? '*' : `${head}.*`
}

const isName = /^[\w.:*[\]/-]+$/

const none: ReadonlySet<string> = new Set()
