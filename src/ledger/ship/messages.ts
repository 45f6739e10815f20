import type { Position } from '../journal/segments.ts'
import type { StoreAddress } from '../store/all.ts'

/** The start data of the shipper's worker. */
export type ShipperData = {
  readonly store: StoreAddress
  readonly journalDirectory: string
  readonly node: string
  readonly keepCallsDays: number
  readonly keepRollupsDays: number
}

/** Orders: ship now, or ship and end. */
export type ShipperOrder = 'wake' | 'finish'

/** Reports of the worker. */
export type ShipperNews =
  | { readonly what: 'opened'; readonly migrated: readonly string[]; readonly from: Position | undefined }
  | {
      readonly what: 'shipped'
      readonly to: Position
      readonly calls: number
      readonly lastAt: number | undefined
    }
  /** The store has all that there was. */
  | { readonly what: 'current'; readonly at: Position }
  | { readonly what: 'failed'; readonly reason: string }
  | { readonly what: 'damaged'; readonly bytes: number; readonly segments: number }
