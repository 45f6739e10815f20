import { openPostgresStore } from './postgres/postgres-store.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store } from './store.ts'

/** A file of SQLite's, or a database of Postgres'. */
export type StoreAddress = { readonly path: string } | { readonly databaseUrl: string }

/** Opens the store of an address. Its calls block: for worker threads only. */
export function openStore(address: StoreAddress): Store {
  return 'path' in address ? openSqliteStore(address.path) : openPostgresStore(address.databaseUrl)
}
