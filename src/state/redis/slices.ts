import type { HoldPart } from '../../core/model/shared/state.ts'

/** A node's leases of budgets, by counter, for the counters that it spends from. */
export interface Slices {
  /** Notes holds on these counters: a slice of each is useful. */
  note(parts: readonly HoldPart[]): void
  /** The slices to request now; those of counters without recent holds are returned. */
  wanted(): readonly WantedSlice[]
  /** The current slice of a counter. */
  set(counter: string, nanoUsd: number): void
  of(counter: string): number
  /** Pauses leasing this counter, because it is nearly used up and other nodes need it. */
  withhold(counter: string): void
  isWithheld(counter: string): boolean
  /** Notes that all slices are returned. */
  clear(): void
  readonly totalNanoUsd: number
}

export type WantedSlice = {
  readonly counter: string
  readonly limitNanoUsd: number
  /** 0: none. A slice smaller than the smallest hold of a call is useless. */
  readonly leastNanoUsd: number
}

export function createSlices(now: () => number): Slices {
  const known = new Map<string, Slice>()
  const isWithheld = ({ withheldUntil }: Slice) => now() < withheldUntil
  return {
    note(parts) {
      for (const { counter, nanoUsd, limitNanoUsd } of parts) {
        const slice = known.get(counter)
        if (slice === undefined) {
          known.set(counter, {
            limitNanoUsd,
            leastNanoUsd: nanoUsd,
            usedAt: now(),
            nanoUsd: 0,
            withheldUntil: 0,
          })
        } else {
          slice.usedAt = now()
          slice.limitNanoUsd = limitNanoUsd
          slice.leastNanoUsd = slice.leastNanoUsd === 0 ? nanoUsd : Math.min(slice.leastNanoUsd, nanoUsd)
        }
      }
    },
    wanted() {
      const wanted = Array.from(known, ([counter, slice]): WantedSlice => {
        const isUseful = now() - slice.usedAt < idleMs && !isWithheld(slice)
        return {
          counter,
          limitNanoUsd: slice.limitNanoUsd,
          leastNanoUsd: isUseful ? Math.max(1, slice.leastNanoUsd) : 0,
        }
      })
      for (const { counter, leastNanoUsd } of wanted) {
        const slice = known.get(counter)
        if (slice !== undefined && slice.nanoUsd === 0 && now() - slice.usedAt >= idleMs)
          known.delete(counter)
        else if (leastNanoUsd === 0 && slice !== undefined) slice.leastNanoUsd = 0
      }
      return wanted
    },
    set(counter, nanoUsd) {
      const slice = known.get(counter)
      if (slice !== undefined) slice.nanoUsd = nanoUsd
    },
    of: (counter) => known.get(counter)?.nanoUsd ?? 0,
    withhold(counter) {
      const slice = known.get(counter)
      if (slice !== undefined) slice.withheldUntil = now() + withholdMs
    },
    isWithheld(counter) {
      const slice = known.get(counter)
      return slice !== undefined && isWithheld(slice)
    },
    clear() {
      for (const slice of known.values()) slice.nanoUsd = 0
    },
    get totalNanoUsd() {
      return [...known.values()].reduce((sum, { nanoUsd }) => sum + nanoUsd, 0)
    },
  }
}

type Slice = {
  limitNanoUsd: number
  leastNanoUsd: number
  usedAt: number
  nanoUsd: number
  withheldUntil: number
}

const idleMs = 60_000
const withholdMs = 5000
