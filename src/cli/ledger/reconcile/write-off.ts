import type { StoredCall } from '../../../ledger/store/calls.ts'
import type { Store } from '../../../ledger/store/store.ts'
import type { ConfigOverrides } from '../../config-options.ts'
import { withAdmin } from '../../keys/admin-client.ts'

/**
 * Settles calls that began before `before`, and are uncertain to this day, at what is known of them: each an audit row.
 * Gives their ids.
 */
export async function writeOff(
  store: Store,
  overrides: ConfigOverrides,
  before: number,
): Promise<readonly string[]> {
  const due = await uncertainBefore(store, before)
  const settled: string[] = []
  if (due.length === 0) return settled
  await withAdmin(overrides, async (ask) => {
    for (const { id, knownNanoUsd } of due) {
      const body = { cost_usd: knownNanoUsd / 1e9, reason: 'written off by age' }
      const answer = await ask('POST', `/admin/api/calls/${encodeURIComponent(id)}/settle`, body)
      const { settled: isSettled } = answer['data'] as { readonly settled: boolean }
      if (isSettled) settled.push(id)
    }
    return 0
  })
  return settled
}

type Due = { readonly id: string; readonly knownNanoUsd: number }

async function uncertainBefore(store: Store, before: number): Promise<readonly Due[]> {
  const due: Due[] = []
  let place: { readonly at: number; readonly id: string } | undefined
  for (;;) {
    const page = await store.calls({ limit: pageSize, before: place, to: before, filters: {} })
    for (const call of page) if (isDue(call)) due.push(dueOf(call))
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return due
    place = { at: last.startedEpochMs, id: last.call.requestId }
  }
}

const pageSize = 1000

function isDue({ call, settled }: StoredCall): boolean {
  return settled === undefined && call.attempts.some(({ uncertain }) => uncertain)
}

function dueOf({ call }: StoredCall): Due {
  const known = call.attempts.filter(({ uncertain }) => !uncertain)
  return {
    id: call.requestId,
    knownNanoUsd: known.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0),
  }
}
