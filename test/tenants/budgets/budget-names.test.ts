import { expect, test } from 'vitest'
import type { BudgetRule } from '../../../src/tenants/budgets/budget.ts'
import { budgetOf, counterOf, type Scope } from '../../../src/tenants/budgets/budget.ts'
import { windowAt } from '../../../src/tenants/budgets/windows.ts'
import { rule } from '../stage.ts'

const window = windowAt({ window: 'total', zone: 'UTC', weekStart: 1 }, 0)
const team = (id: string): Scope => ({ kind: 'team', id })
const counter = (scope: Scope, more: Partial<BudgetRule>, user?: string) =>
  counterOf(budgetOf(scope, rule(1, more)), window, user)

test('no two budgets have one counter, whatever they and their teams are called', () => {
  const counters = [
    counter(team('a'), { name: 'b/c' }),
    counter(team('a/b'), { name: 'c' }),
    counter(team('a%2Fb'), { name: 'c' }),
    counter(team('a'), { name: 'b~c~d' }),
    counter(team('a'), { name: 'b' }, 'c~d'),
    counter(team('a'), { name: 'b|total' }),
    counter(team('a'), { name: 'b' }),
    counter({ kind: 'gateway' }, { name: 'b' }),
  ]
  expect(new Set(counters).size).toBe(counters.length)
})
