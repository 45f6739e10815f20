import type { CallLine } from './record/call-line.ts'

/**
 * The lines of the journal. Amounts are whole nano-USD, times are epoch milliseconds. Nothing in a line is a prompt, an
 * answer or a secret.
 */
export type JournalEntry = CallEntry | StateEntry

/** Lines from which keys, budgets and holds are rebuilt after a restart. */
export type StateEntry = HoldEntry | GrowEntry | SettleEntry | ResolveEntry | OverrideEntry | AdminEntry

/** A call that is over. */
export type CallEntry = {
  readonly type: 'call'
  readonly id: string
  readonly at: number
  /** The members of its record as JSON, without braces. */
  readonly line: string
}

/** Money reserved for a call, in the windows of its admission. */
export type HoldEntry = {
  readonly type: 'hold'
  /** The call's id. */
  readonly id: string
  readonly at: number
  /** The process that took it. */
  readonly owner: string
  /** On each counter: a budget in one of its windows. */
  readonly parts: readonly HeldPart[]
  /** When the call must be over. A hold that is still open some time after that has lost its owner. */
  readonly until: number
}

/** `counter` is a budget's name and its window's, as `tenants` makes it. */
export type HeldPart = { readonly counter: string; readonly nanoUsd: number }

/** A hold that has grown. */
export type GrowEntry = {
  readonly type: 'grow'
  readonly id: string
  readonly at: number
  /** What it holds from then on, on every counter that changed. */
  readonly parts: readonly HeldPart[]
}

/** The end of a hold: what it held is free again, and this is charged. */
export type SettleEntry = {
  readonly type: 'settle'
  readonly id: string
  readonly at: number
  /** What is known to have been charged, and what may have been charged besides. */
  readonly charges: readonly SettledPart[]
  /** Why, where it was not the end of the call. */
  readonly reason?: 'crash' | 'expired' | undefined
}

export type SettledPart = {
  readonly counter: string
  readonly spentNanoUsd: number
  readonly uncertainNanoUsd: number
}

/** An uncertain amount that has become certain: by a provider's word, an operator's, or a write-off. */
export type ResolveEntry = {
  readonly type: 'resolve'
  /** The call's id. */
  readonly id: string
  readonly at: number
  readonly actor: string
  /** What the call cost, the part that was known included. */
  readonly nanoUsd: number
  readonly reason: string
}

/** One window of one budget, by the names that the budgets give them. */
export type BudgetWindow = { readonly budget: string; readonly window: string }

/** A budget's limit raised for one window. */
export type OverrideEntry = BudgetWindow & {
  readonly type: 'override'
  /** Of its own. */
  readonly id: string
  readonly at: number
  readonly actor: string
  /** What is added to the limit in this window. */
  readonly nanoUsd: number
}

/**
 * A change of a key, a team or another thing that is administered: an audit row, and what the thing is from then on.
 */
export type AdminEntry = {
  readonly type: 'admin'
  /** Of its own. */
  readonly id: string
  readonly at: number
  /** Who changed it: a management key's label, or `operator`. */
  readonly actor: string
  /** `key.create`, `team.delete`. */
  readonly action: string
  /** What was changed: `key` and its hash. */
  readonly subject: { readonly kind: string; readonly id: string }
  /** Null: it was not there. */
  readonly before: object | null
  /** Null: it is there no more. */
  readonly after: object | null
}

/** Records as they are appended. What is appended is written in order, a whole turn of the event loop at once. */
export interface Journal {
  /** Never throws, never waits. */
  append(entry: JournalEntry): void
  /** Resolves once everything appended so far outlives the process; at the latest at the end of this turn. */
  written(): Promise<void>
  /** Resolves once everything appended so far is as durable as the configuration has it. */
  durable(): Promise<void>
  /** False: no hold may be taken, because its settlement might not be written. */
  readonly takesHolds: boolean
}

/** State that is rebuilt from the journal: what it was at the checkpoint, and every line since. */
export interface Projection {
  /** Its place in the checkpoint. */
  readonly name: string
  /** Takes what `snapshot` gave; undefined where there is no checkpoint of it. */
  restore(snapshot: unknown): void
  /** Takes one line that was appended after that, in order. Not called for lines that are appended later on. */
  apply(entry: StateEntry): void
  /** The same for a call that is over, by the members of its line. Absent: it does not depend on calls. */
  applyCall?(call: CallLine, startedEpochMs: number): void
  /** A JSON value. Called between two turns of the event loop; must match the lines appended so far. */
  snapshot(): unknown
}

/** Keeps nothing. */
export const noJournal: Journal = {
  append() {},
  written: () => Promise.resolve(),
  durable: () => Promise.resolve(),
  takesHolds: true,
}

/** Keeps every line in memory, in order. */
export function createMemoryJournal(): Journal & { readonly entries: readonly JournalEntry[] } {
  const entries: JournalEntry[] = []
  return { ...noJournal, entries, append: (entry) => void entries.push(entry) }
}
