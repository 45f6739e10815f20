import { callRoutes } from './calls.ts'
import type { LedgerParts } from './ledger-access.ts'
import type { AdminRoute } from './route.ts'
import { usageRoute } from './usage.ts'

/** What operators read of the ledger. */
export function ledgerRoutes(parts: LedgerParts): readonly AdminRoute[] {
  return [usageRoute(parts), ...callRoutes(parts)]
}
