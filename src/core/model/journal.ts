import type { CallLine } from './record/call-line.ts'
import { decodeLine, type EncodedLine, encodeLine } from './record/line-writer.ts'

/**
 * The lines of the journal. Amounts are whole nano-USD, times are epoch milliseconds. No line contains a prompt, an
 * answer or a secret.
 */
export type JournalEntry = CallEntry | StateEntry

/** Lines from which keys, budgets and holds are rebuilt after a restart. */
export type StateEntry =
  | HoldEntry
  | GrowEntry
  | SettleEntry
  | ResolveEntry
  | ReleaseEntry
  | OverrideEntry
  | AdminEntry

/** A finished call. */
export type CallEntry = {
  readonly type: 'call'
  readonly id: string
  readonly at: number
  /** The members of its record as JSON, without braces. Valid while it is appended: the journal copies the bytes. */
  readonly line: EncodedLine
}

/** Money held for a call, in the budget windows of its admission. */
export type HoldEntry = {
  readonly type: 'hold'
  /** The call's id. */
  readonly id: string
  readonly at: number
  /** The process that took it. */
  readonly owner: string
  /** Per counter: a budget in one of its windows. */
  readonly parts: readonly HeldPart[]
  /** The call's deadline. A hold that is still open long afterwards has lost its owner. */
  readonly until: number
}

/** `counter` is the budget's name and window, as `tenants` spells it. */
export type HeldPart = { readonly counter: string; readonly nanoUsd: number }

/** A hold that grew. */
export type GrowEntry = {
  readonly type: 'grow'
  readonly id: string
  readonly at: number
  /** The new amounts, for every counter that changed. */
  readonly parts: readonly HeldPart[]
}

/** The end of a hold: it is released, and this is charged. */
export type SettleEntry = {
  readonly type: 'settle'
  readonly id: string
  readonly at: number
  /** The known charge, and the possible further charge. */
  readonly charges: readonly SettledPart[]
  /** The reason, if it is not the end of the call. */
  readonly reason?: 'crash' | 'expired' | undefined
}

export type SettledPart = {
  readonly counter: string
  readonly spentNanoUsd: number
  readonly uncertainNanoUsd: number
}

/** An uncertain amount became certain: by the provider's statement, an operator's, or a write-off. */
export type ResolveEntry = {
  readonly type: 'resolve'
  /** The call's id. */
  readonly id: string
  readonly at: number
  readonly actor: string
  /** The whole cost of the call, including the part that was known. */
  readonly nanoUsd: number
  readonly reason: string
}

/** Another node counts what was uncertain of a call: here it ends, and nothing is spent. */
export type ReleaseEntry = {
  readonly type: 'release'
  /** The call's id. */
  readonly id: string
  readonly at: number
}

/** One window of one budget, by the names that the budgets give them. */
export type BudgetWindow = { readonly budget: string; readonly window: string }

/** A budget's limit raised for one window. */
export type OverrideEntry = BudgetWindow & {
  readonly type: 'override'
  /** Its own id. */
  readonly id: string
  readonly at: number
  readonly actor: string
  /** The amount added to the limit in this window. */
  readonly nanoUsd: number
}

/** A change of a key, a team or another administered object: an audit row, and the object's new state. */
export type AdminEntry = {
  readonly type: 'admin'
  /** Its own id. */
  readonly id: string
  readonly at: number
  /** Who changed it: a management key's label, or `operator`. */
  readonly actor: string
  /** `key.create`, `team.delete`. */
  readonly action: string
  /** The object: `key` and its hash. */
  readonly subject: { readonly kind: string; readonly id: string }
  /** Null: it did not exist. */
  readonly before: object | null
  /** Null: it was deleted. */
  readonly after: object | null
}

/** The journal that records are appended to. Lines are written in order, in one batch per turn of the event loop. */
export interface Journal {
  /** Never throws, never blocks. */
  append(entry: JournalEntry): void
  /** Resolves when everything appended so far survives the process; at the latest at the end of this turn. */
  written(): Promise<void>
  /** Resolves when everything appended so far is as durable as configured. */
  durable(): Promise<void>
  /** False: no hold may be taken, because its settlement might not be written. */
  readonly takesHolds: boolean
}

/** State rebuilt from the journal: its checkpoint, and every line since. */
export interface Projection {
  /** Its name in the checkpoint. */
  readonly name: string
  /** Restores what `snapshot` gave; undefined if the checkpoint has none. */
  restore(snapshot: unknown): void
  /** Applies one line appended after the checkpoint, in order. Not called for lines appended later. */
  apply(entry: StateEntry): void
  /** Applies a finished call, by the members of its line. Absent: calls do not matter to it. */
  applyCall?(call: CallLine, startedEpochMs: number): void
  /** A JSON value. Called between two turns of the event loop; must match the lines appended so far. */
  snapshot(): unknown
}

/** A journal that keeps nothing. */
export const noJournal: Journal = {
  append() {},
  written: () => Promise.resolve(),
  durable: () => Promise.resolve(),
  takesHolds: true,
}

/** A journal that keeps every line in memory, in order. */
export function createMemoryJournal(): Journal & { readonly entries: readonly JournalEntry[] } {
  const entries: JournalEntry[] = []
  const kept = (entry: JournalEntry): JournalEntry =>
    entry.type === 'call' ? { ...entry, line: encodeLine(decodeLine(entry.line)) } : entry
  return { ...noJournal, entries, append: (entry) => void entries.push(kept(entry)) }
}
