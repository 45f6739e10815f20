import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { openStore, type StoreAddress } from '../../ledger/store/all.ts'
import type { Store } from '../../ledger/store/store.ts'

/** The address of a configuration's ledger database. */
export function storeAddressOf({ dataDirectory, ledger: { databaseUrl } }: Config): StoreAddress {
  return databaseUrl === undefined ? { path: join(resolve(dataDirectory), 'ledger.db') } : { databaseUrl }
}

/** The ledger database of a configuration, with its schema up to date. Rejects with StoreUnusable. */
export async function openLedgerStore(config: Config): Promise<Store> {
  const address = storeAddressOf(config)
  if ('path' in address && !existsSync(address.path))
    throw new StoreUnusable(`There is no ledger in ${address.path}.`)
  return await usable(async () => {
    const store = openStore(address)
    await store.migrate()
    return store
  })
}

/** Runs with an error message if the database cannot be used. */
export async function usable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
    const { code, message } = thrown
    const reason = message === '' || code === 'ECONNREFUSED' ? String(code) : message
    throw new StoreUnusable(`The ledger’s database cannot be used: ${reason}.`, { cause: thrown })
  }
}

class StoreUnusable extends Error {
  readonly code = 'ERR_STORE_UNUSABLE'
}
