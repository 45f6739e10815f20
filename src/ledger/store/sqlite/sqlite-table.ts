import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Row, TableConnection } from '../responses.ts'
import { sameFile } from './same-file.ts'

/** A connection to a file whose schema exists. Its calls are synchronous: for worker threads only. */
export function openSqliteTable(path: string): TableConnection {
  const database = new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true })
  database.exec('pragma journal_mode = wal; pragma synchronous = full')
  const checkFile = sameFile(path)
  const statements = new Map<string, StatementSync>()
  const prepared = (text: string) => {
    const known = statements.get(text)
    if (known !== undefined) return known
    const made = database.prepare(text)
    if (statements.size < mostStatements) statements.set(text, made)
    return made
  }
  return {
    async all(text, values) {
      checkFile()
      return prepared(text).all(...values) as Row[]
    },
    async inTransaction(work) {
      checkFile()
      database.exec('begin immediate')
      try {
        const result = await work()
        database.exec('commit')
        return result
      } catch (thrown) {
        if (database.isTransaction) database.exec('rollback')
        throw thrown
      }
    },
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

const busyMs = 10_000

/** Statements differ in the length of their value lists, so the cache is bounded. */
const mostStatements = 50
