import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import { type Ledger, openLedger, readState } from '../../ledger/ledger.ts'
import type { Tenants } from '../../tenants/tenants.ts'

/**
 * The ledger of a configuration. Undefined if it is turned off, or there is no place for it. The tenants know the keys
 * of the data directory in any case.
 */
export async function openLedgerOf(
  config: Config,
  log: Logger,
  { projections, registry }: Pick<Tenants, 'projections' | 'registry'>,
): Promise<Ledger | undefined> {
  const { enabled, ...settings } = config.ledger
  const { dataDirectory: directory, drain } = config
  if (!enabled) {
    await readState(directory, projections)
    return undefined
  }
  const isNeeded = config.isDataDirectoryGiven || hasBudgets(config.tenants)
  // A process that is being replaced releases the directory once it has drained.
  const waitMs = isNeeded ? drain.delayMs + drain.graceMs : 0
  // The owner of the directory may revoke a key, and this process would not know.
  const isNeededWithState = () => registry.hadStoredKeys
  return await openLedger({ ...settings, directory, isNeeded, isNeededWithState, waitMs, projections, log })
}

/** Calls whose records must not be lost. */
export function hasBudgets({
  keys,
  teams,
  budgets,
}: Pick<Config['tenants'], 'keys' | 'teams' | 'budgets'>): boolean {
  return budgets.length > 0 || [...keys, ...teams].some((one) => one.budgets.length > 0)
}
