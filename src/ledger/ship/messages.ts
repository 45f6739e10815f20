import type { Position } from '../journal/segments.ts'
import type { StoreAddress } from '../store/all.ts'

/** What the shipper's worker is started with. */
export type ShipperData = {
  readonly store: StoreAddress
  readonly journalDirectory: string
  readonly node: string
  readonly keepCallsDays: number
  readonly keepRollupsDays: number
}

/** What it is told: to ship at once what is there, or to do so and end. */
export type ShipperOrder = 'wake' | 'finish'

/** What it tells. */
export type ShipperNews =
  | { readonly what: 'opened'; readonly migrated: readonly string[]; readonly from: Position | undefined }
  | {
      readonly what: 'shipped'
      readonly to: Position
      readonly calls: number
      readonly lastAt: number | undefined
    }
  | { readonly what: 'failed'; readonly reason: string }
  | { readonly what: 'damaged'; readonly bytes: number; readonly segments: number }
