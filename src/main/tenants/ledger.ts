import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import type { Projection } from '../../core/model/journal.ts'
import { type Ledger, openLedger } from '../../ledger/ledger.ts'

/** The ledger of a configuration. Undefined if it is turned off, or there is no place for it. */
export async function openLedgerOf(
  config: Config,
  log: Logger,
  projections: readonly Projection[],
): Promise<Ledger | undefined> {
  const { enabled, ...settings } = config.ledger
  if (!enabled) return undefined
  const { dataDirectory: directory, drain } = config
  const isNeeded = config.isDataDirectoryGiven || hasBudgets(config.tenants)
  // A process that is being replaced releases the directory once it has drained.
  const waitMs = isNeeded ? drain.delayMs + drain.graceMs : 0
  return await openLedger({ ...settings, directory, isNeeded, waitMs, projections, log })
}

/** Calls whose records must not be lost. */
export function hasBudgets({ keys, teams, budgets }: Config['tenants']): boolean {
  return budgets.length > 0 || [...keys, ...teams].some((one) => one.budgets.length > 0)
}
