import { join } from 'node:path'
import { openSqliteStore } from '../../../src/ledger/store/sqlite/sqlite-store.ts'
import { makeDirectory } from '../directory.ts'
import { storeContract } from './store-contract.ts'

storeContract('SQLite', async () => {
  const directory = await makeDirectory()
  return { ...directory, open: () => openSqliteStore(join(directory.path, 'ledger.db')) }
})
