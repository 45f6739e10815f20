/** A map that holds so many entries and no more: the one that was not used for longest makes room. */
export interface LruMap<Value> {
  /** Counts as a use. */
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  /** In the order of use, the latest last. */
  values(): Iterable<Value>
}

/**
 * A list through the entries of a map: what is used moves there, and nothing in the map does. A map that keeps the
 * order itself leaves a gap for whatever moves, and finds its oldest entry behind thousands of them.
 */
export function createLruMap<Value>(capacity: number): LruMap<Value> {
  const entries = new Map<string, Entry<Value>>()
  let oldest: Entry<Value> | undefined
  let latest: Entry<Value> | undefined
  const takeOut = ({ before, after }: Entry<Value>) => {
    if (before === undefined) oldest = after
    else before.after = after
    if (after === undefined) latest = before
    else after.before = before
  }
  const append = (entry: Entry<Value>) => {
    entry.before = latest
    entry.after = undefined
    if (latest === undefined) oldest = entry
    else latest.after = entry
    latest = entry
  }
  const use = (entry: Entry<Value>) => {
    if (entry === latest) return
    takeOut(entry)
    append(entry)
  }
  return {
    get(key) {
      const entry = entries.get(key)
      if (entry !== undefined) use(entry)
      return entry?.value
    },
    set(key, value) {
      const known = entries.get(key)
      if (known !== undefined) {
        known.value = value
        use(known)
        return
      }
      const entry: Entry<Value> = { key, value, before: undefined, after: undefined }
      entries.set(key, entry)
      append(entry)
      if (entries.size <= capacity || oldest === undefined) return
      entries.delete(oldest.key)
      takeOut(oldest)
    },
    *values() {
      for (let entry = oldest; entry !== undefined; entry = entry.after) yield entry.value
    },
  }
}

type Entry<Value> = {
  readonly key: string
  value: Value
  before: Entry<Value> | undefined
  after: Entry<Value> | undefined
}
