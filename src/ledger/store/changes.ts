import type { AdminEntry, OverrideEntry } from '../../core/model/journal.ts'

export const readChanges = "select body from events where type in ('admin', 'override') order by at, id"

/** From the rows of `readChanges`. */
export function changesIn(
  rows: readonly Readonly<Record<string, unknown>>[],
): readonly (AdminEntry | OverrideEntry)[] {
  return rows.map(({ body }) => JSON.parse(String(body)) as AdminEntry | OverrideEntry)
}
