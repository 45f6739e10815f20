/** A map that holds so many entries and no more: the one that was not used for longest makes room. */
export interface Recent<Value> {
  /** Counts as a use. */
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  /** In the order of use, the latest last. */
  values(): Iterable<Value>
}

export function createRecent<Value>(capacity: number): Recent<Value> {
  /** In the order of use, the latest last. */
  const entries = new Map<string, Value>()
  // Kept, not begun anew: each time it would first step over all that was deleted at the front, thousands of places.
  const oldestFirst = entries.keys()
  const put = (key: string, value: Value) => {
    entries.delete(key)
    entries.set(key, value)
  }
  return {
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) put(key, value)
      return value
    },
    set(key, value) {
      put(key, value)
      if (entries.size <= capacity) return
      const { value: oldest } = oldestFirst.next()
      if (oldest !== undefined) entries.delete(oldest)
    },
    values: () => entries.values(),
  }
}
