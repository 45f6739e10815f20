import type { AdminEntry } from '../../core/model/journal.ts'

/**
 * When each key and team was last changed. If two nodes make changes at the same time, all nodes choose the same one.
 */
export interface Stamps {
  /** Notes a change. False: a later one is known. */
  take(entry: Pick<AdminEntry, 'id' | 'at' | 'subject'>): boolean
  /** A change made now is later than all known ones, whatever this machine's clock says. */
  next(subject: AdminEntry['subject'], now: number): number
  snapshot(): StampsSnapshot
  restore(snapshot: StampsSnapshot): void
}

export type StampsSnapshot = readonly (readonly [subject: string, at: number, id: string])[]

export function createStamps(): Stamps {
  const last = new Map<string, Stamp>()
  return {
    take({ id, at, subject }) {
      const name = nameOf(subject)
      const known = last.get(name)
      if (known !== undefined && (known.at > at || (known.at === at && known.id >= id))) return false
      last.set(name, { at, id })
      return true
    },
    next: (subject, now) => Math.max(now, (last.get(nameOf(subject))?.at ?? 0) + 1),
    snapshot: () => Array.from(last, ([name, { at, id }]) => [name, at, id] as const),
    restore(snapshot) {
      for (const [name, at, id] of snapshot) last.set(name, { at, id })
    },
  }
}

type Stamp = { readonly at: number; readonly id: string }

function nameOf({ kind, id }: AdminEntry['subject']): string {
  return `${kind}:${id}`
}
