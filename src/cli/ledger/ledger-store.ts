import { join, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import type { StoreAddress } from '../../ledger/store/all.ts'

/** The address of a configuration's ledger database. */
export function storeAddressOf({ dataDirectory, ledger: { databaseUrl } }: Config): StoreAddress {
  return databaseUrl === undefined ? { path: join(resolve(dataDirectory), 'ledger.db') } : { databaseUrl }
}
