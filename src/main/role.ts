import type { RequestListener } from 'node:http'
import type { Config } from '../config.ts'
import type { Drains } from '../core/health/drains.ts'
import { type ListenParts, listen, type RunningServer } from '../http/server.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { LastingTimes, Snapshot } from './reload/snapshot.ts'
import { openBooks } from './tenants/books.ts'
import { startProbes } from './upstreams/probes.ts'
import { readProviderLists } from './upstreams/provider-lists.ts'

/** What a process does otherwise where it is one of several of its gateway. */
export interface Role {
  /** Opens where keys, money and records are. */
  readonly openBooks: typeof openBooks
  readonly listen: (listener: RequestListener, config: Config, parts: ListenParts) => Promise<RunningServer>
  /** How it comes to know what upstreams say of their models, and of their health. */
  readonly readLists: typeof readProviderLists
  readonly startProbes: typeof startProbes
  readonly drains: (own: Drains) => Drains
  /** What is served, where that is not of this process alone. */
  readonly surface: (own: LastingTimes['app']) => LastingTimes['app']
  /** The configuration in use, as operators see it. */
  readonly shown: (own: Snapshot) => Snapshot
  /** Is given what the others may ask of this process, before it listens. */
  readonly join: (parts: Joined) => void
  /** Has the others take a configuration that this process has taken; undefined: there are none. */
  readonly pass: (config: Config) => Promise<void> | undefined
}

export type Joined = {
  readonly current: () => Snapshot
  /** Throws, and changes nothing, where it cannot be. */
  take(config: Config): void
  readonly metrics: Metrics
  readonly app: LastingTimes['app']
}

/** A process that is the whole of its gateway. */
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
