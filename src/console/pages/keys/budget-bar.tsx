import { usdOf } from '../../text/amounts.ts'
import type { BudgetView } from './wire.ts'

type Amounts = Pick<BudgetView, 'limit' | 'spent' | 'held' | 'uncertain' | 'remaining'> &
  Partial<Pick<BudgetView, 'raised'>>

/** How much of a budget is spent, held for calls under way, and uncertain. The words say the same as the bar. */
export function BudgetBar({ limit, raised = 0, spent, held, uncertain, remaining }: Amounts) {
  const most = Math.max(limit, spent + held + uncertain)
  const widthOf = (usd: number) => (most === 0 ? 0 : (100 * usd) / most)
  return (
    <div class="budget-bar">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="rest" x="0" width="100" height="8" />
        <rect class="spent" x="0" width={widthOf(spent)} height="8" />
        <rect class="held" x={widthOf(spent)} width={widthOf(held)} height="8" />
        <rect class="uncertain" x={widthOf(spent + held)} width={widthOf(uncertain)} height="8" />
      </svg>
      <span class="budget-words">
        <b>{usdOf(spent)}</b> of {usdOf(limit)}
        {raised > 0 && <> ({usdOf(raised)} of it for now alone)</>}
        {held > 0 && (
          <>
            {' '}
            · <i class="held">{usdOf(held)} held</i>
          </>
        )}
        {uncertain > 0 && (
          <>
            {' '}
            · <i class="uncertain">{usdOf(uncertain)} uncertain</i>
          </>
        )}
        {remaining <= 0 && <span class="bad-text"> · nothing left</span>}
      </span>
    </div>
  )
}
