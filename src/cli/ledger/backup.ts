import { backUp } from '../../ledger/backup.ts'
import { defineCommand } from '../command.ts'
import { configOptions } from '../config-options.ts'
import { readConfig } from '../read-config.ts'
import { storeAddressOf } from './ledger-store.ts'

export const backup = defineCommand({
  name: 'backup',
  does: 'copy the ledger’s database into one file, while the gateway runs',
  about: 'See docs/ledger.md for how to restore it. A Postgres database is backed up by its own tools.',
  operands: [{ name: 'FILE', does: 'the file to write; it must not exist yet' }],
  options: configOptions,
  run: async ({ operands: [file = ''], options }) => {
    const address = storeAddressOf(readConfig(options))
    if (!('path' in address)) {
      process.stderr.write('The ledger is in Postgres: back it up with pg_dump.\n')
      return 1
    }
    try {
      await backUp(address.path, file)
    } catch (thrown) {
      process.stderr.write(`Nothing was backed up. ${thrown instanceof Error ? thrown.message : ''}\n`)
      return 1
    }
    process.stdout.write(`Copied to ${file}.\n`)
    return 0
  },
})
