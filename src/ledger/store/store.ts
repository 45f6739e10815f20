import type { Position } from '../journal/segments.ts'
import type { Batch } from './batch.ts'
import type { CallCounts, CallPlace, CallsQuestion, CountsQuestion, StoredCall } from './calls.ts'
import type { UsageQuestion, UsageRow } from './usage.ts'

/** A database of calls and of their sums. What is written is written in one transaction, or not at all. */
export interface Store extends AsyncDisposable {
  /** Brings the schema to what this version needs. Gives the names of what was missing; dry, it changes nothing. */
  migrate(isDry?: boolean): Promise<readonly string[]>
  /** How far a node's journal has been taken; undefined: nothing of it. */
  position(node: string): Promise<Position | undefined>
  /** Takes a part of a node's journal, with its place. */
  write(node: string, batch: Batch): Promise<void>
  /** Sums, from the rollups. */
  usage(question: UsageQuestion): Promise<readonly UsageRow[]>
  /** A page of calls, the latest first. */
  calls(question: CallsQuestion): Promise<readonly StoredCall[]>
  /**
   * How far such a page was sought, where its filters are not all of an index; undefined: to the end of the span. The page
   * that follows begins there.
   */
  reach(question: CallsQuestion): Promise<CallPlace | undefined>
  /** How many calls there were over a span, of the latest `countedAtOnce`. */
  counts(question: CountsQuestion): Promise<CallCounts>
  call(id: string): Promise<StoredCall | undefined>
  /** Deletes what is older, a bounded part at a time. False: there is more to delete. */
  prune(before: PruneTimes): Promise<boolean>
}

/** In epoch milliseconds. */
export type PruneTimes = { readonly calls: number; readonly rollups: number }
