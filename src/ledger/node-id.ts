import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The id of a data directory among those that ship to the same store: created once, and kept in the directory. */
export async function nodeIdOf(directory: string): Promise<string> {
  const path = join(directory, 'node')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (/^node_[0-9a-f]{16}\n$/.test(known)) return known.trim()
  const made = `node_${randomBytes(8).toString('hex')}`
  await writeFile(path, `${made}\n`, { mode: 0o600 })
  return made
}
