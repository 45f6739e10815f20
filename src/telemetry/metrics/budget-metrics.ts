import { Counter, Gauge, type Registry } from 'prom-client'

/** The state of one budget in its current window. Amounts are whole nano-USD. */
export type BudgetCounts = {
  /** Its name for people. */
  readonly title: string
  readonly limitNanoUsd: number
  readonly spentNanoUsd: number
  readonly heldNanoUsd: number
  readonly uncertainNanoUsd: number
  /** Calls refused because of it, since the start. */
  readonly refused: number
}

/** Shows budgets; `budgets` is read once per scrape. The first ones are shown by name, the rest in one series. */
export function showBudgets(registry: Registry, budgets: () => Promise<readonly BudgetCounts[]>): void {
  // All metrics of a scrape are read in one turn, and share the result.
  let reading: Promise<readonly BudgetCounts[]> | undefined
  const shown = () => {
    reading ??= budgets()
      .then(shownOf, () => [])
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const gauge = (name: string, help: string, read: (counts: BudgetCounts) => number) =>
    new Gauge({
      ...{ name, help, labelNames: ['budget'], registers: [registry] },
      // Every process reads the same shared state.
      aggregator: 'first',
      async collect() {
        const all = await shown()
        this.reset()
        for (const one of all) this.set({ budget: one.title }, read(one))
      },
    })
  gauge(
    'pandotate_budget_limit_usd',
    'What a budget allows in its current window.',
    (it) => it.limitNanoUsd / 1e9,
  )
  gauge(
    'pandotate_budget_spent_usd',
    'What is spent of a budget in its current window.',
    (it) => it.spentNanoUsd / 1e9,
  )
  gauge('pandotate_budget_held_usd', 'What running calls hold on a budget.', (it) => it.heldNanoUsd / 1e9)
  gauge(
    'pandotate_budget_uncertain_usd',
    'What upstreams may have charged in addition, without reporting it.',
    (it) => it.uncertainNanoUsd / 1e9,
  )
  new Counter({
    name: 'pandotate_budget_refusals_total',
    help: 'Calls refused because a budget had no room for them.',
    labelNames: ['budget'],
    registers: [registry],
    async collect() {
      const all = await shown()
      this.reset()
      for (const { title, refused } of all) this.inc({ budget: title }, refused)
    },
  })
}

const mostShown = 200
const others = 'other'

/** Keys are made by an API, so there may be any number of budgets. Those with the same name are one series. */
function shownOf(budgets: readonly BudgetCounts[]): readonly BudgetCounts[] {
  const byTitle = new Map<string, BudgetCounts>()
  for (const budget of budgets) {
    const isKnown = byTitle.has(budget.title) || byTitle.size < mostShown
    const title = isKnown ? budget.title : others
    byTitle.set(title, sumOf({ ...budget, title }, byTitle.get(title)))
  }
  return [...byTitle.values()]
}

function sumOf(one: BudgetCounts, other: BudgetCounts | undefined): BudgetCounts {
  if (other === undefined) return one
  return {
    title: one.title,
    limitNanoUsd: one.limitNanoUsd + other.limitNanoUsd,
    spentNanoUsd: one.spentNanoUsd + other.spentNanoUsd,
    heldNanoUsd: one.heldNanoUsd + other.heldNanoUsd,
    uncertainNanoUsd: one.uncertainNanoUsd + other.uncertainNanoUsd,
    refused: one.refused + other.refused,
  }
}
