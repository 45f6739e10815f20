import { dayMs } from '../rollup.ts'

/** A part of a span. `to` is exclusive; without it, it is open. */
export type Window = { readonly from: number; readonly to: number | undefined }

/**
 * Splits a span by the days that have a partition, the latest part first. Each part has twice as many days as the one
 * before: a page of the latest calls reads two partitions, and a search through all of them takes few queries. The time
 * to plan a query grows with the number of its partitions.
 */
export function windowsOf(days: readonly number[], { from, to }: Window): readonly Window[] {
  const covered = days
    .filter((day) => day + dayMs > from && (to === undefined || day < to))
    .toSorted((one, other) => other - one)
  const windows: Window[] = []
  let end = to
  for (let count = fewestDays, taken = 0; ; count *= 2) {
    taken += count
    const start = covered[taken - 1]
    if (start === undefined || taken >= covered.length) return [...windows, { from, to: end }]
    windows.push({ from: start, to: end })
    end = start
  }
}

const fewestDays = 2
