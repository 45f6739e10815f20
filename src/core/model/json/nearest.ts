/**
 * The names that a misspelt one may have meant, nearest first: those within a third of its length in edits (at least
 * one). Swapping neighbours is one edit; case does not count.
 */
export function nearest(written: string, names: Iterable<string>, most = 3): readonly string[] {
  const word = written.toLowerCase()
  if (word.length > longestWord) return []
  const bound = Math.max(1, Math.floor(word.length / 3))
  const near: (readonly [string, number])[] = []
  for (const name of names) {
    if (name.length > longestWord || name === written) continue
    const edits = distance(word, name.toLowerCase(), bound)
    if (edits <= bound) near.push([name, edits])
  }
  return near
    .toSorted(([one, edits], [other, more]) => edits - more || one.localeCompare(other))
    .slice(0, most)
    .map(([name]) => name)
}

/** Whether two names are within this many edits, counted as in `nearest`. */
export function isWithin(one: string, other: string, edits: number): boolean {
  if (one.length > longestWord || other.length > longestWord) return false
  return distance(one.toLowerCase(), other.toLowerCase(), edits) <= edits
}

/** ` Did you mean "a" or "b"?`, to follow a sentence; empty if no name is near. */
export function didYouMean(written: string, names: Iterable<string>): string {
  const near = nearest(written, names)
  return near.length === 0 ? '' : ` Did you mean ${anyOf.format(near)}?`
}

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/** Longer names are not typing errors, and comparing them takes quadratic time. */
const longestWord = 200

/** The optimal string alignment distance; any result above `bound` means "more than `bound`". */
function distance(one: string, other: string, bound: number): number {
  if (Math.abs(one.length - other.length) > bound) return bound + 1
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      const edits = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
      )
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(isSwapped && row > 1 ? Math.min(edits, (before[column - 2] ?? 0) + 1) : edits)
    }
    before = above
    above = current
  }
  return above[other.length] ?? 0
}
