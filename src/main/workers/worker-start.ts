import type { Config } from '../../config.ts'
import type { Drain } from '../../core/health/drains.ts'
import type { StateEntry } from '../../core/model/journal.ts'
import type { KnownLists } from '../upstreams/provider-lists.ts'

/** What a worker starts with: everything its primary knows at that moment. Later changes follow in order. */
export type WorkerStart = {
  readonly config: Config
  readonly version: string
  /** The owner of its holds, leases and answers. */
  readonly owner: string
  /** The socket where the primary answers for the gateway as a whole. */
  readonly socketPath: string
  /** Records are stored, not only logged. */
  readonly isKept: boolean
  /** Keys, teams and additions to limits, as the projections of these names have them. */
  readonly tenants: Readonly<Record<string, unknown>>
  readonly drains: readonly (readonly [deployment: string, drain: Drain])[]
  readonly lists: KnownLists
}

/** Changes of keys, teams and limits. Money is not copied: workers ask for it. */
export function isOfTenants(entry: { readonly type: string }): entry is StateEntry {
  return entry.type === 'admin' || entry.type === 'override'
}
