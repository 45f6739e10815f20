import type { Journal } from '../core/model/journal.ts'
import type { Clock } from '../core/model/ports.ts'
import type { SharedState } from '../core/model/shared/state.ts'
import type { Budget } from './budgets/budget.ts'
import type { WindowClock } from './budgets/window-clock.ts'
import type { Window } from './budgets/windows.ts'
import type { BudgetTerms } from './settings.ts'

/** What everything that counts for tenants works with. */
export type Desk = {
  readonly state: SharedState
  readonly journal: Journal
  readonly windows: WindowClock
  readonly clock: Pick<Clock, 'epochMs'>
  /** The name of this process in the shared state and the journal. */
  readonly owner: string
  /** The budgets in effect now. */
  readonly terms: () => BudgetTerms
  /** What was added to the limit of a counter, for its window only. */
  readonly override: (counter: string) => number
}

/** A budget that applies to a call, in the window of that moment. */
export type Applied = {
  readonly budget: Budget
  readonly window: Window
  readonly counter: string
  /** Including what was added for this window. */
  readonly limitNanoUsd: number
}
