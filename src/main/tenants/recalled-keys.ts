import type { Logger } from 'pino'
import type { Journal } from '../../core/model/journal.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { UnknownKeys } from './unknown-keys.ts'

/**
 * Takes keys, teams and additions to limits from the database of a data directory that has no journal: it was restored
 * from a backup, or its journal was deleted. Rejects if the database cannot be read, and everybody would be let in.
 */
export async function recallKeys(
  ledger: Ledger | undefined,
  tenants: Pick<Tenants, 'hear' | 'asksForKeys'>,
  journal: Pick<Journal, 'append'>,
  log: Logger,
): Promise<void> {
  if (ledger?.isNew !== true || !('path' in ledger.store) || !ledger.hadStore) return
  const { path } = ledger.store
  const changes = await ledger.reader.changes().catch((cause: unknown) => {
    if (tenants.asksForKeys()) return []
    const reason = cause instanceof Error ? cause.message : ''
    throw new UnknownKeys(
      `There is no journal beside ${path}, and ${path} cannot be read (${reason}): it may have keys. Restore it, or remove it.`,
      { cause },
    )
  })
  log.warn({ path }, 'there was no journal: keys are taken from the database, and budgets start at zero')
  for (const entry of changes) if (tenants.hear(entry)) journal.append(entry)
}
