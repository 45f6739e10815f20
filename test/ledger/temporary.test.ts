import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLedger } from '../../src/ledger/ledger.ts'
import { removeDirectory } from '../harness/directory.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { callEntry } from './lines.ts'
import { noPostgres, startPostgres } from './postgres-server.ts'

describe.skipIf(noPostgres)('without a writable directory, but with a database', () => {
  test('the journal is in a temporary directory, which is removed once the database has everything', async () => {
    await using server = await startPostgres()
    const { ledger, journal } = await openAt(await server.createDatabase())
    expect(existsSync(journal)).toBe(true)
    ledger?.journal.append(callEntry('req_1', { at: 1 }))
    await ledger?.[Symbol.asyncDispose]()
    expect(existsSync(journal)).toBe(false)
  })

  test('that directory stays until the database has everything', async () => {
    await using server = await startPostgres()
    const databaseUrl = await server.createDatabase()
    await server.kill()
    const { ledger, journal } = await openAt(databaseUrl)
    ledger?.journal.append(callEntry('req_1', { at: 1 }))
    await ledger?.[Symbol.asyncDispose]()
    expect(existsSync(journal)).toBe(true)
  })
})

async function openAt(databaseUrl: string) {
  const file = join(await temporaryDirectory('unwritable-'), 'file')
  await writeFile(file, '')
  let temporary = ''
  const log = {
    debug: () => undefined,
    error: () => undefined,
    warn(members: { readonly temporary?: string }) {
      temporary = members.temporary ?? temporary
    },
  }
  const ledger = await openLedger({
    ...{ directory: join(file, 'data'), durability: 'process', spoolBytes: 1e8, waitMs: 0, isNeeded: false },
    isNeededWithState: () => false,
    ...{ databaseUrl, keepCallsDays: 90, keepRollupsDays: 730, projections: [], log },
  })
  onTestFinished(() => removeDirectory(temporary))
  return { ledger, journal: join(temporary, 'journal') }
}
