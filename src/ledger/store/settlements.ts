import type { ResolveEntry } from '../../core/model/journal.ts'
import type { SettledCost } from './calls.ts'

/** By call, from the journal's resolve lines. */
export function readSettlements(lines: readonly string[]): ReadonlyMap<string, SettledCost> {
  return new Map(
    lines.map((line) => {
      const { id, at, actor, nanoUsd, reason } = JSON.parse(line) as ResolveEntry
      return [id, { nanoUsd, at, actor, reason }]
    }),
  )
}
