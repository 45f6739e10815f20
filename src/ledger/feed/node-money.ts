import type { ResolveEntry } from '../../core/model/journal.ts'
import type { Charge, OpenHold } from '../../core/model/shared/state.ts'

/** The money that one node counts, as far as other nodes over the same database have to do with it. */
export interface NodeMoney {
  /** Takes over the holds of a node that is gone, as uncertain. */
  takeHolds(holds: readonly OpenHold[]): Promise<void>
  /** The calls of this node whose cost is uncertain. */
  uncertain(): readonly string[]
  isUncertain(call: string): boolean
  /** Settles a call of this node; false: nothing of it is uncertain here. */
  settle(entry: ResolveEntry): Promise<boolean>
  /** Settles a call that is not this node's: in the reports, and at this node on the counters of these charges. */
  settleLost(entry: ResolveEntry, charges: readonly Charge[]): Promise<void>
  /** Whether this node has settled a call, as far as it remembers. */
  hasSettled(call: string): boolean
  /** Ends what is uncertain of a call at this node, without a cost: another node counts it. */
  release(call: string): Promise<void>
}
