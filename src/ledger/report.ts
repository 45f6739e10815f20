import type { JournalState } from './journal/file-journal.ts'
import type { Position } from './journal/segments.ts'
import type { ShipperState } from './ship/shipper.ts'

/** How a ledger is doing. */
export type LedgerReport = {
  readonly store: 'sqlite' | 'postgres'
  readonly isDiskFull: boolean
  /** Why the store takes nothing at the moment. */
  readonly failure: string | undefined
  /** What is on the disk in the journal, and what of it is not in the store yet. */
  readonly spooledBytes: number
  readonly behindBytes: number
  /** How long ago the oldest call may be that is not in the store yet; 0: all are. */
  readonly behindMs: number
  /** Calls that are in no record: left out because the spool was full, or the disk. */
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
