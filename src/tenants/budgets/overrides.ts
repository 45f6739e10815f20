import type { OverrideEntry } from '../../core/model/journal.ts'
import { counterText } from './budget.ts'

/** Additions to limits. Each applies to one window, and counts once, whichever way it arrives. */
export interface Overrides {
  /** False: it was already known. */
  add(entry: Pick<OverrideEntry, 'id' | 'budget' | 'window' | 'nanoUsd'>): boolean
  of(counter: string): number
  snapshot(): OverridesSnapshot
  restore(snapshot: Partial<OverridesSnapshot>): void
}

export type OverridesSnapshot = {
  readonly overrides: readonly (readonly [counter: string, nanoUsd: number])[]
  readonly overrideIds: readonly string[]
}

export function createOverrides(): Overrides {
  const sums = new Map<string, number>()
  const known = new Set<string>()
  return {
    add(entry) {
      if (known.has(entry.id)) return false
      known.add(entry.id)
      const counter = counterText(entry)
      sums.set(counter, (sums.get(counter) ?? 0) + entry.nanoUsd)
      return true
    },
    of: (counter) => sums.get(counter) ?? 0,
    snapshot: () => ({ overrides: [...sums], overrideIds: [...known] }),
    restore({ overrides = [], overrideIds = [] }) {
      for (const [counter, nanoUsd] of overrides) sums.set(counter, nanoUsd)
      for (const id of overrideIds) known.add(id)
    },
  }
}
