import type { CallRecord } from '../../core/model/record/record.ts'
import type { Spent } from '../../core/model/shared/state.ts'
import type { Applied, Desk } from '../desk.ts'
import { type Budget, counterOf, isWhole } from './budget.ts'
import { windowAt } from './windows.ts'

/** Charges counters for what no call holds on them. `id` tells the lines of the journal from those of calls. */
export async function chargeLate(id: string, spent: readonly Spent[], desk: Desk): Promise<void> {
  const { journal, state, clock, owner } = desk
  if (spent.length === 0) return
  const at = clock.epochMs()
  const parts = spent.map(({ counter }) => ({ counter, nanoUsd: 0 }))
  const charges = spent.map((one) => ({ ...one, uncertainNanoUsd: 0 }))
  journal.append({ type: 'hold', id, at, owner, parts, until: at })
  journal.append({ type: 'settle', id, at, charges })
  await state.charge(spent)
}

/** What a call spent on budgets of its key as a whole that were made while it was running. */
export function spentOnNew(
  budgets: readonly Budget[],
  settled: readonly Applied[],
  { startedEpochMs, costNanoUsd = 0 }: CallRecord,
): readonly Spent[] {
  const known = new Set(settled.map(({ budget }) => nameOf(budget)))
  return budgets
    .filter((budget) => budget.scope.kind === 'key' && isWhole(budget.rule) && !known.has(nameOf(budget)))
    .map((budget) => counterOf(budget, windowAt(budget.rule, startedEpochMs)))
    .map((counter) => ({ counter, spentNanoUsd: costNanoUsd }))
}

/** A limit keeps its id when it gets another window. */
function nameOf({ id, rule }: Budget): string {
  return `${id} ${rule.window}`
}
