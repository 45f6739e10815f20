import { Failure } from '../../core/model/failure.ts'
import type { ResolveEntry } from '../../core/model/journal.ts'
import type { Charge } from '../../core/model/shared/state.ts'
import type { SettledElsewhere } from '../../ledger/feed/settlements.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { StoredCall } from '../../ledger/store/calls.ts'
import type { Changes } from '../../tenants/keys/changes.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { usageOf } from '../../tenants/usage.ts'

/**
 * Settles an uncertain call of the store that no budget counts: in the reports, and in the usage of its key. Rejects with a Failure if the
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
  await changes.settleLost(entry, usageIn(stored))
  return 'settled'
}

/** The usage of its key, which counts its cost without a budget, too. */
function usageIn({ call, startedEpochMs }: StoredCall): readonly Charge[] {
  if (call.key === undefined) return []
  // How much is uncertain is not known without a hold; only that something is.
  return usageOf(call.key, startedEpochMs, call.costNanoUsd ?? 0).map((one) => ({
    ...one,
    uncertainNanoUsd: 1,
  }))
}
