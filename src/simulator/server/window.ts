/** Counts requests in a sliding window of 10 s. Returns true for a request above `most`. */
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
