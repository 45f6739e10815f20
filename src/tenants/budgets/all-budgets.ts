import type { Key, Team } from '../keys/key.ts'
import type { Registry } from '../keys/registry.ts'
import type { TenantSettings } from '../settings.ts'
import { type Budget, type BudgetRule, budgetOf } from './budget.ts'

/** The budgets of all owners: the gateway, teams and keys. */
export function allBudgets(
  registry: Registry,
  { budgets }: Pick<TenantSettings, 'budgets'>,
): readonly Budget[] {
  return budgetsOf(budgets, registry.teams(), registry.keys())
}

/** Those declared in the configuration. */
export function declaredBudgets({ budgets, teams, keys }: TenantSettings): readonly Budget[] {
  return budgetsOf(budgets, teams, keys)
}

function budgetsOf(
  own: readonly BudgetRule[],
  teams: readonly Team[],
  keys: readonly Key[],
): readonly Budget[] {
  return [
    ...own.map((rule) => budgetOf({ kind: 'gateway' }, rule)),
    ...teams.flatMap(({ id, budgets }) => budgets.map((rule) => budgetOf({ kind: 'team', id }, rule))),
    ...keys.flatMap(({ id, name, label, budgets }) =>
      budgets.map((rule) => budgetOf({ kind: 'key', id, name: name || label }, rule)),
    ),
  ]
}
