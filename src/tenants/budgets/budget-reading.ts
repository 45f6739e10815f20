import { isCounter } from '../../core/model/shared/is-counter.ts'
import type { OpenHold } from '../../core/model/shared/state.ts'
import { appliedIn } from '../access.ts'
import type { Desk } from '../desk.ts'
import { type Budget, counterOf, titleOf, userIn, usersOf } from './budget.ts'

/** The state of a budget in its current window. A budget per end user has no spent amount as a whole. */
export type BudgetReading = {
  readonly budget: Budget
  readonly title: string
  readonly window: string
  /** Undefined: never. */
  readonly opensAtMs: number | undefined
  readonly limitNanoUsd: number
  readonly spentNanoUsd: number
  readonly heldNanoUsd: number
  readonly uncertainNanoUsd: number
}

export async function readBudgets(budgets: readonly Budget[], desk: Desk): Promise<readonly BudgetReading[]> {
  const applied = budgets.map((budget) => {
    const window = desk.windows.current(budget.rule)
    return appliedIn(budget, window, counterOf(budget, window), desk)
  })
  const readings = await desk.state.read(applied.map(({ counter }) => counter))
  return applied.map(({ budget, window, limitNanoUsd }, at) => ({
    ...{ budget, title: titleOf(budget), window: window.id, limitNanoUsd },
    opensAtMs: window.endMs === Number.POSITIVE_INFINITY ? undefined : window.endMs,
    spentNanoUsd: readings[at]?.spentNanoUsd ?? 0,
    heldNanoUsd: readings[at]?.heldNanoUsd ?? 0,
    uncertainNanoUsd: readings[at]?.uncertainNanoUsd ?? 0,
  }))
}

/** The calls that hold money on a budget now. */
export async function holdersOf(budget: Budget, { state, windows }: Desk): Promise<readonly Holder[]> {
  const window = windows.current(budget.rule)
  const { isPerUser } = budget.rule
  const [counter, end] = isPerUser ? usersOf(budget, window) : [counterOf(budget, window), undefined]
  return (await state.holdsOn(counter, end)).flatMap(({ id, owner, parts }) =>
    parts
      .filter((part) => isCounter(part.counter, counter, end))
      .map((part) => ({ id, owner, nanoUsd: part.nanoUsd, user: userIn(part.counter) })),
  )
}

/** A call that holds money, at a process, for an end user if each has a budget. */
export type Holder = Pick<OpenHold, 'id' | 'owner'> & {
  readonly nanoUsd: number
  readonly user: string | undefined
}
