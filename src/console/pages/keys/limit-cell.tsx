import { BudgetBar } from './budget-bar.tsx'
import { ratesOf } from './rates.ts'
import type { KeyView, TeamView } from './wire.ts'

/** The budget with the least left, and the limits of rate. */
export function LimitCell({ of }: { of: KeyView | TeamView }) {
  const [first] = of.budgets.toSorted((one, other) => one.remaining - other.remaining)
  const rates = ratesOf(of)
  return (
    <>
      {first !== undefined && <BudgetBar {...first} />}
      {rates !== '' && <span class="muted small">{rates}</span>}
      {first === undefined && rates === '' && <span class="muted">none</span>}
    </>
  )
}
