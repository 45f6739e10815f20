import type { Blocker } from '../../core/model/shared/state.ts'
import type { BudgetStanding, CostBound, Payer, PayerTerms, Shortage } from '../../core/model/tenant.ts'
import type { Applied, Desk } from '../desk.ts'
import { partsOf } from './bill.ts'
import { titleOf } from './budget.ts'
import { shortageOf } from './refusal.ts'

/** Checks a call against the current state of its budgets, and takes nothing. */
export class Quote implements Payer {
  readonly #applied: readonly Applied[]
  readonly #desk: Desk
  readonly #trials: Trial[] = []

  constructor(applied: readonly Applied[], desk: Desk) {
    this.#applied = applied
    this.#desk = desk
  }

  get terms(): PayerTerms {
    return this.#desk.terms()
  }

  async reserve(bounds: readonly CostBound[]): Promise<Shortage | undefined> {
    const parts = partsOf(this.#applied, bounds)
    const readings = await this.#desk.state.read(parts.map(({ counter }) => counter))
    const met = parts.map((part, at): Blocker => {
      const { spentNanoUsd = 0, heldNanoUsd = 0, uncertainNanoUsd = 0 } = readings[at] ?? {}
      const reading = { spentNanoUsd, heldNanoUsd, uncertainNanoUsd }
      return { counter: part.counter, wantedNanoUsd: part.nanoUsd, ...reading }
    })
    const standings = met.map((one) => this.#standingOf(one))
    const blockers = met.filter((_, at) => standings[at]?.blocks)
    const shortage =
      blockers.length === 0 ? undefined : shortageOf(blockers, this.#applied, this.#desk.terms(), () => 0)
    this.#trials.push({ standings, shortage })
    return shortage
  }

  cover(): undefined {}

  /** The trial that failed; otherwise the last one that fits. */
  standings(failure?: unknown): readonly BudgetStanding[] {
    const trial = this.#trials.findLast(({ shortage }) => shortage?.failure === failure)
    return trial?.standings ?? []
  }

  #standingOf(met: Blocker): BudgetStanding {
    const { counter, ...amounts } = met
    const of = this.#applied.find((one) => one.counter === counter)
    if (of === undefined) throw new TypeError('A hold is on counters of its own budgets.')
    const { budget, window, limitNanoUsd } = of
    const { spentNanoUsd, heldNanoUsd, uncertainNanoUsd, wantedNanoUsd } = amounts
    return {
      ...{ id: budget.id, title: titleOf(budget), window: window.id, limitNanoUsd, ...amounts },
      opensAtMs: window.endMs === Number.POSITIVE_INFINITY ? undefined : window.endMs,
      blocks: spentNanoUsd + heldNanoUsd + uncertainNanoUsd + wantedNanoUsd > limitNanoUsd,
    }
  }
}

/** One requested amount. */
type Trial = { readonly standings: readonly BudgetStanding[]; readonly shortage: Shortage | undefined }
