import type { RequestListener } from 'node:http'
import type { Config } from '../config.ts'
import type { Drains } from '../core/health/drains.ts'
import { type ListenParts, listen, type RunningServer } from '../http/server.ts'
import type { Metrics } from '../telemetry/metrics/metrics.ts'
import type { LastingTimes, Snapshot } from './reload/snapshot.ts'
import { openBooks } from './tenants/books.ts'
import { startProbes } from './upstreams/probes.ts'
import { readProviderLists } from './upstreams/provider-lists.ts'

/** How a process behaves as one of several processes of a gateway. */
export interface Role {
  /** Opens the store of keys, money and records. */
  readonly openBooks: typeof openBooks
  readonly listen: (listener: RequestListener, config: Config, parts: ListenParts) => Promise<RunningServer>
  /** The source of models, prices and health of upstreams. */
  readonly readLists: typeof readProviderLists
  readonly startProbes: typeof startProbes
  readonly drains: (own: Drains) => Drains
  /** The surface to serve, if it is not this process's own. */
  readonly surface: (own: LastingTimes['app']) => LastingTimes['app']
  /** The configuration in use, as operators see it. */
  readonly shown: (own: Snapshot) => Snapshot
  /** Receives the functions that other processes may call in this one, before it listens. */
  readonly join: (parts: Joined) => void
  /** Makes the other processes apply a configuration that this one has applied. Undefined: there are none. */
  readonly pass: (config: Config) => Promise<void> | undefined
}

export type Joined = {
  readonly current: () => Snapshot
  /** Throws, and changes nothing, if it cannot be applied. */
  take(config: Config): void
  readonly metrics: Metrics
  readonly app: LastingTimes['app']
}

/** A gateway that consists of this process only. */
export const alone: Role = {
  openBooks,
  listen,
  readLists: readProviderLists,
  startProbes,
  drains: (own) => own,
  surface: (own) => own,
  shown: (own) => own,
  join() {},
  pass: () => undefined,
}
