import { openPostgresStore } from './postgres/postgres-store.ts'
import { openPostgresTable } from './postgres/postgres-table.ts'
import { createResponseTable, type ResponseTable, type TableBounds } from './responses.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import { openSqliteTable } from './sqlite/sqlite-table.ts'
import type { Store } from './store.ts'

/** An SQLite file, or a Postgres database. */
export type StoreAddress = { readonly path: string } | { readonly databaseUrl: string }

/** Opens the store of an address. Its calls block: for worker threads only. */
export function openStore(address: StoreAddress): Store {
  return 'path' in address ? openSqliteStore(address.path) : openPostgresStore(address.databaseUrl)
}

/** Opens the responses of a store whose schema exists. Its calls block too. */
export function openResponseTable(address: StoreAddress, bounds: TableBounds): ResponseTable {
  const connection =
    'path' in address ? openSqliteTable(address.path) : openPostgresTable(address.databaseUrl)
  return createResponseTable(connection, bounds)
}
