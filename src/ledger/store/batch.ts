import type {
  AdminEntry,
  GrowEntry,
  HoldEntry,
  OverrideEntry,
  ResolveEntry,
  SettleEntry,
  StateEntry,
} from '../../core/model/journal.ts'
import type { CallLine } from '../../core/model/record/call-line.ts'
import { callBeginning } from '../journal/frame-buffer.ts'
import type { Position } from '../journal/segments.ts'
import { addCall, correctCall, createRollups, daysOf, hourMs, type RollupRow, uncertainOf } from './rollup.ts'
import { storedJson, storedName } from './stored-text.ts'

/** A part of a journal in the form that a store takes. */
export type Batch = {
  readonly calls: readonly CallRow[]
  /** Those of them of whose cost something is uncertain. */
  readonly doubtful: readonly CallRow[]
  readonly hours: readonly RollupRow[]
  readonly days: readonly RollupRow[]
  readonly events: readonly EventRow[]
  readonly holds: HoldChanges
  readonly doubts: DoubtChanges
  /** The position after its last line. */
  readonly to: Position
  /** When its last call began; undefined if there is none. */
  readonly lastAt: number | undefined
}

export type CallRow = {
  readonly id: string
  readonly at: number
  readonly key: string
  readonly team: string
  readonly model: string
  readonly status: number
  /** Null: a price is not known. */
  readonly costNanoUsd: number | null
  readonly totalMs: number
  /** Its record as JSON. */
  readonly line: string
}

export type CallKey = Pick<CallRow, 'id' | 'at'>

/** An operator's action, or an uncertain amount that became certain. */
export type EventRow = {
  readonly id: string
  readonly at: number
  readonly type: (AdminEntry | OverrideEntry | ResolveEntry)['type']
  readonly body: string
}

/** The holds that are open after the batch, as JSON, and those of earlier batches that ended. */
export type HoldChanges = { readonly open: ReadonlyMap<string, string>; readonly over: ReadonlySet<string> }

/** The settlements that left something uncertain, as JSON, and the calls of which nothing is uncertain any more. */
export type DoubtChanges = {
  readonly uncertain: ReadonlyMap<string, string>
  readonly certain: ReadonlySet<string>
}

export type Line = { readonly text: string; readonly end: Position }

/** The lines without calls that a store knows already. */
export async function unknownLines(
  lines: readonly Line[],
  known: (calls: readonly CallKey[]) => Promise<ReadonlySet<string>>,
): Promise<readonly Line[]> {
  const ids = new Map<Line, string>()
  const calls: CallKey[] = []
  for (const line of lines) {
    if (!line.text.startsWith(callBeginning)) continue
    const { requestId: id, at } = JSON.parse(line.text) as JournalCall
    ids.set(line, id)
    calls.push({ id, at })
  }
  const all = await known(calls)
  return lines.filter((line) => !all.has(ids.get(line) ?? ''))
}

export function batchOf(lines: readonly Line[], from: Position): Batch {
  const calls: CallRow[] = []
  const doubtful: CallRow[] = []
  const events: EventRow[] = []
  const holds = createHolds()
  const doubts = createDoubts()
  const rollups = createRollups(hourMs)
  for (const { text } of lines) {
    if (!text.startsWith(callBeginning)) {
      const entry = JSON.parse(text) as StateEntry
      doubts.take(entry, text)
      if (!holds.take(entry, text) && entry.type !== 'release')
        events.push({ id: entry.id, at: entry.at, type: entry.type, body: text })
      continue
    }
    const call = JSON.parse(text) as JournalCall
    const names = namesOf(call)
    const row = rowOf(call, names, text)
    calls.push(row)
    if (uncertainOf(call) > 0) doubtful.push(row)
    addCall(rollups.sumsFor(names, call.at), call)
  }
  const hours = rollups.rows()
  return {
    ...{ calls, doubtful, events, holds: holds.changes, doubts: doubts.changes, hours, days: daysOf(hours) },
    ...{ to: lines.at(-1)?.end ?? from, lastAt: calls.at(-1)?.at },
  }
}

/** The corrections of sums for a stored call that has become certain. */
export function correctionOf(
  line: string,
  at: number,
  resolved: string,
): { readonly hours: readonly RollupRow[]; readonly days: readonly RollupRow[] } {
  const call = JSON.parse(line) as JournalCall
  const { nanoUsd } = JSON.parse(resolved) as ResolveEntry
  const rollups = createRollups(hourMs)
  correctCall(rollups.sumsFor(namesOf(call), at), call, nanoUsd)
  const hours = rollups.rows()
  return { hours, days: daysOf(hours) }
}

/** With the members that the tenants add to a call's line. */
type JournalCall = CallLine & {
  readonly at: number
  readonly key?: string
  readonly team?: string
  readonly tags?: readonly string[]
}

function rowOf(call: JournalCall, names: readonly string[], text: string): CallRow {
  const [key = '', team = '', model = ''] = names
  const line = storedJson(`{${text.slice(text.indexOf(',', callBeginning.length) + 1)}`)
  const { requestId: id, at, status, costNanoUsd = null, totalMs } = call
  return { id, at, key, team, model, status, costNanoUsd, totalMs, line }
}

/** In the order of `dimensions`. */
function namesOf(call: JournalCall): readonly string[] {
  const { principal = '', team = '', provider = '', deployment = '', tags = [] } = call
  const tag = tags.length === 0 ? '' : tags.toSorted().join(',')
  const names = [call.key ?? principal, team, modelOf(call), provider, deployment, tag, failureOf(call)]
  return names.map(storedName)
}

/** The kind of its failure, of a closed list; `left` if the caller left. */
function failureOf({ outcome, status, failure }: CallLine): string {
  if (outcome === 'left') return 'left'
  return status >= 400 ? (failure?.kind ?? 'other') : ''
}

/** An invalid model name gets no sums, because callers could invent any number of names. */
function modelOf({ model = '', status }: CallLine): string {
  return status >= 400 && status < 499 && status !== 429 ? '' : model
}

/** The holds in the lines of a batch. */
function createHolds(): {
  readonly changes: HoldChanges
  /** False: the entry does not concern a hold. */
  take(entry: StateEntry, text: string): entry is HoldLine
} {
  const open = new Map<string, string>()
  const over = new Set<string>()
  /** Most holds end in the batch in which they begin: these are never stored. */
  const begun = new Set<string>()
  return {
    changes: { open, over },
    take(entry, text): entry is HoldLine {
      const { id } = entry
      switch (entry.type) {
        case 'hold':
          begun.add(id)
          open.set(id, text)
          return true
        case 'grow':
          // Only the last size of a growing hold counts.
          open.set(id, text)
          return true
        case 'settle':
          open.delete(id)
          // A lost hold is taken again by the node that settles it, while the store has the one of its first node.
          if (!begun.delete(id) || entry.reason !== undefined) over.add(id)
          return true
        default:
          return false
      }
    },
  }
}

type HoldLine = HoldEntry | GrowEntry | SettleEntry

/** What the lines of a batch leave uncertain, or make certain. */
function createDoubts(): {
  readonly changes: DoubtChanges
  take(entry: StateEntry, text: string): void
} {
  const uncertain = new Map<string, string>()
  const certain = new Set<string>()
  return {
    changes: { uncertain, certain },
    take(entry, text) {
      if (entry.type === 'settle') {
        if (entry.charges.some(({ uncertainNanoUsd }) => uncertainNanoUsd > 0)) uncertain.set(entry.id, text)
      } else if (entry.type === 'resolve' || entry.type === 'release') {
        uncertain.delete(entry.id)
        certain.add(entry.id)
      }
    },
  }
}
