import type { StoredCall } from '../../../ledger/store/calls.ts'
import { counts, hourMs } from '../../../ledger/store/rollup.ts'
import type { Store } from '../../../ledger/store/store.ts'
import type { ConfigOverrides } from '../../config-options.ts'
import { withAdmin } from '../../keys/admin-client.ts'

export type WrittenOff = {
  /** The ids of calls. */
  readonly settled: readonly string[]
  /** Calls whose node is unreachable: it settles them when it returns. */
  readonly pending: readonly string[]
  /** The management API refused to settle one of them. */
  readonly isRefused: boolean
}

export const nothingWrittenOff: WrittenOff = { settled: [], pending: [], isRefused: false }

/**
 * Settles calls that began before `before` and are still uncertain, at the cost that is counted: what may have been charged in addition
 * was not. Each becomes an audit row.
 */
export async function writeOff(
  store: Store,
  overrides: ConfigOverrides,
  before: number,
): Promise<WrittenOff> {
  const due = await uncertainBefore(store, before)
  if (due.length === 0) return nothingWrittenOff
  const settled: string[] = []
  const pending: string[] = []
  const code = await withAdmin(overrides, async (ask) => {
    for (const { id, knownNanoUsd } of due) {
      const body = { cost_usd: knownNanoUsd / 1e9, reason: 'written off by age' }
      const answer = await ask('POST', `/admin/api/calls/${encodeURIComponent(id)}/settle`, body)
      const outcome = answer['data'] as { readonly settled: boolean; readonly pending: boolean }
      if (outcome.settled) settled.push(id)
      else if (outcome.pending) pending.push(id)
    }
    return 0
  })
  return { settled, pending, isRefused: code !== 0 }
}

type Due = { readonly id: string; readonly knownNanoUsd: number }

/** The uncertain calls before a time. Only hours whose sums contain uncertain amounts are read. */
async function uncertainBefore(store: Store, before: number): Promise<readonly Due[]> {
  const question = { from: 0, to: before, by: ['hour'], filters: {}, withHistograms: false } as const
  const hours = await store.usage({ ...question, limit: 1_000_000 })
  const uncertain = hours.filter(({ sums }) => sums[counts.indexOf('uncertain')] !== 0)
  const due: Due[] = []
  // Rollups may be kept for a shorter time than calls.
  await readCalls(store, { from: 0, to: Math.min(before, Number(hours[0]?.names[0] ?? before)) }, due)
  for (const { names } of uncertain) {
    const from = Number(names[0])
    await readCalls(store, { from, to: Math.min(before, from + hourMs) }, due)
  }
  for (const id of await store.lostCalls(before)) due.push({ id, knownNanoUsd: 0 })
  return due
}

/** Adds the calls of a span that are to be settled. */
async function readCalls(
  store: Store,
  span: { readonly from: number; readonly to: number },
  due: Due[],
): Promise<void> {
  let place: { readonly at: number; readonly id: string } | undefined
  for (;;) {
    const { calls: page } = await store.calls({ ...span, limit: pageSize, before: place, filters: {} })
    for (const call of page) if (isDue(call)) due.push(dueOf(call))
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    place = { at: last.startedEpochMs, id: last.call.requestId }
  }
}

const pageSize = 1000

function isDue({ call, settled }: StoredCall): boolean {
  return settled === undefined && call.attempts.some(({ uncertain }) => uncertain)
}

function dueOf({ call }: StoredCall): Due {
  return { id: call.requestId, knownNanoUsd: call.costNanoUsd ?? 0 }
}
