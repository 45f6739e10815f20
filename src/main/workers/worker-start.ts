import type { Config } from '../../config.ts'
import type { Drain } from '../../core/health/drains.ts'
import type { StateEntry } from '../../core/model/journal.ts'
import type { KnownLists } from '../upstreams/provider-lists.ts'

/** What a worker begins with: all that its primary knows at that moment. What changes later is told in order. */
export type WorkerStart = {
  readonly config: Config
  readonly version: string
  /** By which its holds, leases and answers are known. */
  readonly owner: string
  /** Where the primary answers what is of the gateway as a whole. */
  readonly socketPath: string
  /** Records are kept, beyond the log. */
  readonly isKept: boolean
  /** Keys, teams and what was added to limits, as the projections of these names tell it. */
  readonly tenants: Readonly<Record<string, unknown>>
  readonly drains: readonly (readonly [deployment: string, drain: Drain])[]
  readonly lists: KnownLists
}

/** What becomes otherwise in keys, teams and limits. Money is not of it: that is asked for. */
export function isOfTenants(entry: { readonly type: string }): entry is StateEntry {
  return entry.type === 'admin' || entry.type === 'override'
}
