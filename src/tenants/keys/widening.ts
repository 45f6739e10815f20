import { type Budget, budgetOf } from '../budgets/budget.ts'
import type { TenantSettings } from '../settings.ts'
import type { Key } from './key.ts'

/** What named keys may do that they could not do before, because a budget, a limit or a list was removed. */
export function widened(before: TenantSettings, after: TenantSettings): readonly string[] {
  return before.keys.flatMap((key) => {
    const now = key.name === '' ? undefined : after.keys.find(({ id }) => id === key.id)
    return now === undefined
      ? []
      : lostBy(key, now).map((what) => `the key ${JSON.stringify(key.name)} ${what}`)
  })
}

function lostBy(before: Key, now: Key): readonly string[] {
  const left = new Set(budgetsOf(now).map(({ id }) => id))
  const budgets = budgetsOf(before).filter(({ id }) => !left.has(id))
  return [
    ...budgets.map(({ rule }) => `loses its budget ${rule.name ?? rule.window}`),
    ...(['rpm', 'tpm', 'concurrency'] as const)
      .filter((rate) => before.rates[rate] !== undefined && now.rates[rate] === undefined)
      .map((rate) => `loses its ${rate}`),
    ...(['models', 'providers'] as const)
      .filter((list) => before[list].length > 0 && now[list].length === 0)
      .map((list) => `loses its ${list}`),
  ]
}

function budgetsOf({ id, name, budgets }: Key): readonly Budget[] {
  return budgets.map((rule) => budgetOf({ kind: 'key', id, name }, rule))
}
