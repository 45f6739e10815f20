import type { Charge, Spent } from './state.ts'

/**
 * What a settled hold adds to spent once the whole cost of its call is known. Nothing known is taken back; a counter on
 * which nothing was uncertain gets no more.
 */
export function certainSpending(charges: readonly Charge[], costNanoUsd: number): readonly Spent[] {
  const known = Math.max(...charges.map(({ spentNanoUsd }) => spentNanoUsd))
  const spentNanoUsd = Math.max(0, costNanoUsd - known)
  return charges
    .filter(({ uncertainNanoUsd }) => uncertainNanoUsd > 0)
    .map(({ counter }) => ({ counter, spentNanoUsd }))
}
