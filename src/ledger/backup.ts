import { stat } from 'node:fs/promises'
import { backup, DatabaseSync } from 'node:sqlite'

/**
 * Copies an SQLite database into one file, consistent at one moment, while others write to it. Rejects if the file
 * exists.
 */
export async function backUp(path: string, file: string): Promise<void> {
  if (await exists(file)) throw new Error(`${file} already exists: give the name of a new file.`)
  if (!(await exists(path))) throw new Error(`There is no ledger in ${path}.`)
  const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  try {
    await backup(database, file)
  } finally {
    database.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
