import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'

/** The owner of a data directory. */
export type Owner = {
  readonly pid: number
  readonly host: string
  readonly since: string
  readonly what: string
}

/** Another process has the data directory. */
export class DirectoryInUse extends Error {
  readonly code = 'ERR_DIRECTORY_IN_USE'

  constructor(directory: string, owner: Owner | undefined) {
    const who =
      owner === undefined
        ? 'another process'
        : `process ${owner.pid} on ${owner.host} (${owner.what}, since ${owner.since})`
    super(
      `The data directory ${directory} is in use by ${who}. Stop it, or set DATA_DIR to another directory.`,
    )
  }
}

export type LockOptions = {
  /** How long to wait for another owner to end. */
  readonly waitMs: number
  /** What this process does with the directory. */
  readonly what: string
}

/**
 * Makes this process the owner of a directory. The operating system releases the lock when the process ends, for any
 * reason: it is an SQLite lock, which is a file-system lock. Rejects with DirectoryInUse.
 */
export async function lockDirectory(directory: string, { waitMs, what }: LockOptions): Promise<Disposable> {
  const database = new DatabaseSync(join(directory, 'lock'), { timeout: 0 })
  const until = performance.now() + waitMs
  try {
    while (!tryLock(database)) {
      if (performance.now() >= until) throw new DirectoryInUse(directory, readOwner(directory))
      await setTimeout(retryMs)
    }
    writeOwner(directory, what)
  } catch (thrown) {
    database.close()
    throw thrown
  }
  return { [Symbol.dispose]: () => database.close() }
}

const ownerFile = 'owner.json'
const retryMs = 100

/** SQLite's code for a lock held by another. */
const busy = 5

function tryLock(database: DatabaseSync): boolean {
  try {
    // A journal in a file would need room on the disk.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return true
  } catch (thrown) {
    if (thrown instanceof Error && 'errcode' in thrown && thrown.errcode === busy) return false
    throw thrown
  }
}

/** A full disk does not prevent a start: what is in the journal is settled in its reserve. */
function writeOwner(directory: string, what: string): void {
  const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString(), what }
  try {
    writeFileSync(join(directory, ownerFile), `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && fullCodes.has(String(thrown.code)))) throw thrown
  }
}

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

function readOwner(directory: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, ownerFile), 'utf8')) as Owner
  } catch {
    return undefined
  }
}
