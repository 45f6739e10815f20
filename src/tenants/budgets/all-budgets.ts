import type { Registry } from '../keys/registry.ts'
import type { TenantSettings } from '../settings.ts'
import { type Budget, budgetOf } from './budget.ts'

/** The budgets of everyone: of the gateway, of teams, of keys. */
export function allBudgets(
  registry: Registry,
  { budgets }: Pick<TenantSettings, 'budgets'>,
): readonly Budget[] {
  const ofTeams = registry
    .teams()
    .flatMap(({ id, budgets: rules }) => rules.map((rule) => budgetOf({ kind: 'team', id }, rule)))
  const ofKeys = registry
    .keys()
    .flatMap(({ id, name, label, budgets: rules }) =>
      rules.map((rule) => budgetOf({ kind: 'key', id, name: name || label }, rule)),
    )
  return [...budgets.map((rule) => budgetOf({ kind: 'gateway' }, rule)), ...ofTeams, ...ofKeys]
}
