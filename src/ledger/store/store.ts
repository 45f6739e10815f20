import type { AdminEntry, OverrideEntry } from '../../core/model/journal.ts'
import type { Position } from '../journal/segments.ts'
import type { Batch, CallKey } from './batch.ts'
import type { CallCounts, CallsPage, CallsQuestion, CountsQuestion, StoredCall } from './calls.ts'
import type { UsageQuestion, UsageRow } from './usage.ts'

/** A database of calls and their sums. Each write is one transaction. */
export interface Store extends AsyncDisposable {
  /**
   * Several nodes use it, and one of them takes over what another left: it keeps open holds and uncertain settlements.
   * The only process of another store has them in its journal.
   */
  readonly isShared: boolean
  /** Updates the schema to this version. Returns the names of the missing steps; a dry run changes nothing. */
  migrate(isDry?: boolean): Promise<readonly string[]>
  /** The position up to which a node's journal was written; undefined: nothing of it. */
  position(node: string): Promise<Position | undefined>
  /** The ids of those of these calls that it has. */
  known(calls: readonly CallKey[]): Promise<ReadonlySet<string>>
  /** Writes a part of a node's journal, with its position; none of its calls may be known. */
  write(node: string, batch: Batch): Promise<void>
  /**
   * Extends the summaries of the rollups by one bounded step, up to a time after which calls are still being written.
   * True: they are complete up to that time.
   */
  rollUp(before: number): Promise<boolean>
  /** Resets summaries from the time where an older version, which does not know them, has written rollups. */
  checkSummaries(): Promise<void>
  /** Sums, from the rollups and their summaries. */
  usage(question: UsageQuestion): Promise<readonly UsageRow[]>
  /** A page of calls, the latest first. */
  calls(question: CallsQuestion): Promise<CallsPage>
  /** The number of calls over a span, among the latest `countedAtOnce`. */
  counts(question: CountsQuestion): Promise<CallCounts>
  call(id: string): Promise<StoredCall | undefined>
  /** The ids of calls of lost nodes that are uncertain since before a time, and have no record. */
  lostCalls(before: number): Promise<readonly string[]>
  /** Every change of keys, teams and limits, the oldest first. */
  changes(): Promise<readonly (AdminEntry | OverrideEntry)[]>
  /** Deletes older rows, a bounded part at a time. False: there is more to delete. */
  prune(before: PruneTimes): Promise<boolean>
}

/** In epoch milliseconds. */
export type PruneTimes = { readonly calls: number; readonly rollups: number }
