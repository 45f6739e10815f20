import { Failure } from '../../core/model/failure.ts'
import type { ResolveEntry } from '../../core/model/journal.ts'
import type { SettledElsewhere } from '../../ledger/feed/settlements.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Changes } from '../../tenants/keys/changes.ts'
import type { Tenants } from '../../tenants/tenants.ts'

/**
 * Settles an uncertain call of the store that no budget counts: in the reports only. Rejects with a Failure if the
 * store cannot be read.
 */
export async function settleStored(
  entry: ResolveEntry,
  reader: Ledger['reader'] | undefined,
  audit: Tenants['audit'],
  changes: Pick<Changes, 'settleLost'>,
): Promise<SettledElsewhere> {
  const stored = await reader?.call(entry.id).catch((cause) => {
    throw new Failure('overloaded', 'The ledger’s database cannot be read at the moment.', {
      code: 'ledger_unavailable',
      cause,
    })
  })
  const isUncertain = stored?.call.attempts.some(({ uncertain }) => uncertain) === true
  if (!isUncertain || stored?.settled !== undefined || audit.hasSettled(entry.id)) return 'unknown'
  await changes.settleLost(entry, [])
  return 'settled'
}
