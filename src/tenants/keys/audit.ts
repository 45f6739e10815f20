import type { AdminEntry, OverrideEntry, Projection, ResolveEntry } from '../../core/model/journal.ts'

/** The latest changes, newest first: who, what, before and after. The journal has all of them. */
export interface Audit {
  add(entry: AuditEntry): void
  list(count: number): readonly AuditEntry[]
  /** Whether the settlement of a call is among them. */
  hasSettled(call: string): boolean
  readonly projection: Projection
}

export type AuditEntry = AdminEntry | OverrideEntry | ResolveEntry

const most = 1000

export function createAudit(): Audit {
  let entries: AuditEntry[] = []
  const add = (entry: AuditEntry) => {
    entries.push(entry)
    if (entries.length > most * 2) entries = entries.slice(-most)
  }
  return {
    add,
    list: (count) => entries.slice(-count).toReversed(),
    hasSettled: (call) => entries.some(({ type, id }) => type === 'resolve' && id === call),
    projection: {
      name: 'audit',
      restore(snapshot) {
        if (Array.isArray(snapshot)) entries = snapshot as AuditEntry[]
      },
      apply(entry) {
        if (entry.type === 'admin' || entry.type === 'override' || entry.type === 'resolve') add(entry)
      },
      snapshot: () => entries.slice(-most),
    },
  }
}
