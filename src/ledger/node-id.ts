import { randomBytes } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** The id of a data directory among those that ship to the same store: created once, and kept in the directory. */
export async function nodeIdOf(directory: string): Promise<string> {
  const path = join(directory, 'node')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (/^node_[0-9a-f]{16}\n$/.test(known)) return known.trim()
  const made = `node_${randomBytes(8).toString('hex')}`
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(`${made}\n`)
    // A machine that fails would leave it empty: the store has its records under this name.
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  return made
}
