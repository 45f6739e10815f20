import type { CallRecord } from '../core/model/record/record.ts'
import type { Spent } from '../core/model/shared/state.ts'
import { windowAt } from './budgets/windows.ts'
import type { Desk } from './desk.ts'

/** What keys have spent, with or without budgets. */
export interface Usage {
  add(record: CallRecord): void
  /** In whole nano-USD, in the order of the ids. */
  of(ids: readonly string[]): Promise<readonly UsageReading[]>
}

export type UsageReading = Readonly<Record<UsageWindow, number>>

export function createUsage({ state, clock }: Pick<Desk, 'state' | 'clock'>): Usage {
  // They change at midnight, and to spell them takes longer than to charge them.
  let day = Number.NaN
  const known = new Map<string, readonly string[]>()
  const countersNow = (key: string, epochMs: number) => {
    const today = Math.floor(epochMs / dayMs)
    if (today !== day || known.size > mostKeys) known.clear()
    day = today
    let counters = known.get(key)
    if (counters === undefined) {
      counters = countersOf(key, epochMs)
      known.set(key, counters)
    }
    return counters
  }
  return {
    add({ tenant, startedEpochMs, costNanoUsd: spentNanoUsd = 0 }) {
      if (tenant?.key === undefined) return
      const counters = countersNow(tenant.key, startedEpochMs)
      void state.charge(counters.map((counter) => ({ counter, spentNanoUsd })))
    },
    async of(ids) {
      const now = clock.epochMs()
      const readings = await state.read(ids.flatMap((id) => countersOf(id, now)))
      return ids.map((_, at) => {
        const own = readings.slice(at * usageWindows.length, (at + 1) * usageWindows.length)
        const [total = 0, day = 0, week = 0, month = 0] = own.map(({ spentNanoUsd }) => spentNanoUsd)
        return { total, day, week, month }
      })
    },
  }
}

/** A call's cost, on the counters of its key's usage. */
export function usageOf(key: string, startedEpochMs: number, spentNanoUsd: number): readonly Spent[] {
  return countersOf(key, startedEpochMs).map((counter) => ({ counter, spentNanoUsd }))
}

type UsageWindow = (typeof usageWindows)[number]

/** As OpenRouter defines them: in UTC, weeks from Monday. */
const usageWindows = ['total', 'day', 'week', 'month'] as const

function countersOf(key: string, epochMs: number): readonly string[] {
  return windowsAt(epochMs).map((window) => counterOf(key, window))
}

/** In the order of `usageWindows`. */
function windowsAt(epochMs: number): readonly string[] {
  return usageWindows.map((window) => windowAt({ window, zone: 'UTC', weekStart: 1 }, epochMs).id)
}

function counterOf(key: string, window: string): string {
  return `usage/${key}|${window}`
}

const dayMs = 86_400_000

/** That are busy on one day. */
const mostKeys = 10_000
