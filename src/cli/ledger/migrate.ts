import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openStore, type StoreAddress } from '../../ledger/store/all.ts'
import { sqliteMigrations } from '../../ledger/store/sqlite/migrations.ts'
import { defineCommand } from '../command.ts'
import { configOptions } from '../config-options.ts'
import { readConfig } from '../read-config.ts'
import { storeAddressOf, usable } from './ledger-store.ts'

export const migrate = defineCommand({
  name: 'migrate',
  does: 'bring the schema of the ledger’s database up to date',
  about:
    'The gateway does this at start. Migrations only go forward; an older version keeps working on the new schema.',
  options: {
    'dry-run': { does: 'only print what is missing' },
    ...configOptions,
  },
  run: async ({ options: { 'dry-run': dryRun, ...overrides } }) => {
    const isDry = dryRun === true
    const address = storeAddressOf(readConfig(overrides))
    const due = await usable(() => (isDry ? missingIn(address) : bringUpToDate(address)))
    for (const name of due) process.stdout.write(`${isDry ? 'missing' : 'done'}: ${name}\n`)
    if (due.length === 0) process.stdout.write('The schema is up to date.\n')
    return 0
  },
})

async function bringUpToDate(address: StoreAddress): Promise<readonly string[]> {
  if ('path' in address) await mkdir(dirname(address.path), { recursive: true, mode: 0o700 })
  await using store = openStore(address)
  return await store.migrate()
}

/** Makes no file: a database that does not exist lacks every step. */
async function missingIn(address: StoreAddress): Promise<readonly string[]> {
  if ('path' in address && !existsSync(address.path)) return sqliteMigrations.map(({ name }) => name)
  await using store = openStore(address)
  return await store.migrate(true)
}
