import type { CallRecord } from '../../core/model/record/record.ts'

/** How many calls each budget has refused since the process started. */
export interface RefusalCounts {
  note(record: CallRecord): void
  of(budgetId: string): number
}

export function createRefusalCounts(): RefusalCounts {
  const counts = new Map<string, number>()
  return {
    note({ failure }) {
      if (failure === undefined || !refusals.has(failure.kind)) return
      const limit = failure.headers['x-pandotate-limit']
      if (!limit?.startsWith(prefix)) return
      const id = limit.slice(prefix.length)
      if (counts.has(id) || counts.size < most) counts.set(id, (counts.get(id) ?? 0) + 1)
    },
    of: (budgetId) => counts.get(budgetId) ?? 0,
  }
}

const prefix = 'budget/'
const refusals: ReadonlySet<string> = new Set(['quota_exhausted', 'limit_reached'])
const most = 10_000
