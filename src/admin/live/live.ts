import type { Gateway } from '../../core/gateway.ts'
import type { Drains } from '../../core/health/drains.ts'
import type { Route } from '../../core/model/ports.ts'
import type { Changes } from '../../tenants/keys/changes.ts'

/** What operators see of the gateway as it runs. */
export type LiveParts = {
  /** By the configuration in use at that moment. */
  readonly current: () => {
    readonly gateway: Pick<Gateway, 'deployments' | 'models'>
    readonly routes: readonly Route[]
    readonly config: { readonly routing: { readonly isDefault: boolean } }
  }
  readonly drains: Drains
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Writes an audit row. */
  readonly note: Changes['note']
}
