import { open, rm, stat } from 'node:fs/promises'
import { backup, DatabaseSync } from 'node:sqlite'

/**
 * Copies an SQLite database into one file that only this user can read, consistent at one moment, while others write to
 * it. Rejects, and leaves no file, if the file exists or the copy fails.
 */
export async function backUp(path: string, file: string): Promise<void> {
  if (await exists(file)) throw new Error(`${file} already exists: give the name of a new file.`)
  if (!(await exists(path))) throw new Error(`There is no ledger in ${path}.`)
  await (await open(file, 'wx', 0o600)).close()
  try {
    await copy(path, file)
  } catch (thrown) {
    await rm(file, { force: true })
    throw thrown
  }
}

async function copy(path: string, file: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  try {
    // Without a transaction, the copy would begin again with each write of another process.
    database.exec('begin')
    database.prepare('select count(*) from sqlite_schema').get()
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
