import type Router from '@koa/router'
import { serveCalls } from './calls.ts'
import type { LedgerRouteParts } from './ledger-access.ts'
import { serveUsage } from './usage.ts'

/** What operators read of the ledger. */
export function serveLedger(router: Router, parts: LedgerRouteParts): void {
  serveUsage(router, parts)
  serveCalls(router, parts)
}
