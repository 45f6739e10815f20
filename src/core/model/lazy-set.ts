/**
 * A set of names in the order they were added. They go into logs and headers, and may contain text from a caller or an
 * upstream: their number is limited, and text that is too long or unusual is replaced by `*`.
 */
export interface LazySet extends Iterable<string> {
  readonly size: number
  add(name: string): void
  has(name: string): boolean
}

/** An empty set. Most calls never add a name, and an empty Set takes 150 bytes. */
export function createLazySet(): LazySet {
  return new LazyNames()
}

/** The same for the gateway's own phrases, which contain no such text: `messages to prompt (llama3)`. */
export function createPhraseSet(): LazySet {
  return new LazyNames((phrase) => phrase)
}

/** A copy that later additions do not change. */
export function copyOf(names: LazySet): LazySet {
  const copy = createLazySet()
  for (const name of names) copy.add(name)
  return copy
}

class LazyNames implements LazySet {
  readonly #nameOf: (name: string) => string
  #names: Set<string> | undefined

  constructor(bounded: (name: string) => string = nameOf) {
    this.#nameOf = bounded
  }

  get size(): number {
    return this.#names?.size ?? 0
  }

  add(name: string): void {
    this.#names ??= new Set()
    if (this.#names.size < mostNames) this.#names.add(this.#nameOf(name))
  }

  has(name: string): boolean {
    return this.#names?.has(name) === true
  }

  [Symbol.iterator](): Iterator<string> {
    return (this.#names ?? none)[Symbol.iterator]()
  }
}

const mostNames = 64
const longestName = 64

/** `tools.` and kilobytes of a caller's text become `tools.*`. */
function nameOf(name: string): string {
  if (name.length <= longestName && isName.test(name)) return name
  const head = /^[\w-]{1,32}(?=\.)/.exec(name)?.[0]
  return head === undefined ? '*' : `${head}.*`
}

const isName = /^[\w.:*[\]/-]+$/

const none: ReadonlySet<string> = new Set()
