import type { JournalState } from './journal/file-journal.ts'
import type { Position } from './journal/segments.ts'
import type { ShipperState } from './ship/shipper.ts'

/** The state of a ledger. */
export type LedgerReport = {
  readonly store: 'sqlite' | 'postgres'
  readonly isDiskFull: boolean
  /** Why the store currently accepts nothing. */
  readonly failure: string | undefined
  /** The journal's size on disk, and the part that is not in the store yet. */
  readonly spooledBytes: number
  readonly behindBytes: number
  /** The greatest possible age of the oldest call that is not in the store yet; 0: all are. */
  readonly behindMs: number
  /** Calls without a record: dropped because the spool or the disk was full. */
  readonly droppedCalls: number
  readonly unwrittenCalls: number
  readonly shippedCalls: number
  readonly storeFailures: number
  readonly syncFailures: number
}

export type ReportParts = {
  readonly store: LedgerReport['store']
  readonly journal: {
    readonly state: JournalState
    readonly position: Position
    bytesBehind(position: Position): number
  }
  readonly shipper: ShipperState | undefined
  readonly nowEpochMs: number
  readonly openedEpochMs: number
}

export function reportOf({ store, journal, shipper, nowEpochMs, openedEpochMs }: ReportParts): LedgerReport {
  const behindBytes = journal.bytesBehind(shipper?.position ?? { segment: 0, offset: 0 })
  const since = shipper?.lastAt ?? openedEpochMs
  return {
    ...{ store, ...journal.state, behindBytes, failure: shipper?.failure },
    behindMs: behindBytes === 0 ? 0 : Math.max(0, nowEpochMs - since),
    shippedCalls: shipper?.shippedCalls ?? 0,
    storeFailures: shipper?.failures ?? 0,
  }
}
