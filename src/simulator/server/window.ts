/** Counts requests in windows of ten seconds; true for one above `most`. */
export function createWindow(most: number, now: () => number): () => boolean {
  const taken: number[] = []
  return () => {
    while (now() - (taken[0] ?? Number.POSITIVE_INFINITY) >= windowMs) taken.shift()
    if (taken.length >= most) return true
    taken.push(now())
    return false
  }
}

const windowMs = 10_000
