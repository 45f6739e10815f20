import { callRoutes } from './calls/calls.ts'
import { type LiveCalls, liveCallsRoute } from './calls/live-calls.ts'
import type { LedgerParts } from './ledger-access.ts'
import type { AdminRoute } from './route.ts'
import { usageRoute } from './usage.ts'

/** What operators read of the ledger. */
export function ledgerRoutes(parts: LedgerParts, live: LiveCalls): readonly AdminRoute[] {
  return [usageRoute(parts), liveCallsRoute(live), ...callRoutes(parts)]
}
