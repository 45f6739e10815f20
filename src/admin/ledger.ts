import { callRoutes } from './calls/calls.ts'
import { type LiveCalls, liveCallsRoute } from './calls/live-calls.ts'
import type { LedgerParts } from './ledger-access.ts'
import type { AdminRoute } from './route.ts'
import { usageRoute } from './usage.ts'

/** The parts of the ledger that operators read. */
export function ledgerRoutes(parts: LedgerParts, live: LiveCalls): readonly AdminRoute[] {
  return [usageRoute(parts), liveCallsRoute(live), ...callRoutes(parts)]
}
