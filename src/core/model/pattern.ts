/** True if `pattern`, in which `*` matches any characters, matches the whole of `name`. Linear time. */
export function matchesPattern(name: string, pattern: string): boolean {
  return isMadeOf(name, pattern.split('*'))
}

/** The same for a pattern that is split at its stars. */
export function isMadeOf(name: string, pieces: readonly string[]): boolean {
  const { length } = pieces
  const head = pieces[0] ?? ''
  const tail = pieces[length - 1] ?? ''
  if (length === 1) return name === head
  if (!name.startsWith(head) || !name.endsWith(tail)) return false
  let from = head.length
  for (let place = 1; place < length - 1; place++) {
    const piece = pieces[place] ?? ''
    const at = name.indexOf(piece, from)
    if (at === -1) return false
    from = at + piece.length
  }
  return from <= name.length - tail.length
}
