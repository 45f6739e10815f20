import type { Batch } from '../../core/attempt/batch.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { Connections } from './connections.ts'

export type WireParts = {
  /** The upstream's name, for its failures. */
  readonly name: string
  /** `https://host:port`: the only place that requests, and the credentials in them, can go. */
  readonly origin: string
  readonly connectMs: number
  /** How many requests may be in flight at once; more wait. */
  readonly connections: number
  readonly clock: Clock
  /** How long a discarded body may take to end, in milliseconds. */
  readonly lingerMs?: number
}

export type ExchangeParts = Omit<WireParts, 'connections'> & {
  readonly batch: Batch
  readonly connections: Connections
}

export type Sending = {
  /**
   * Up to this length, an answer that may be collected is given when it is whole; 0: as soon as its headers are there.
   */
  readonly wholeBytes: number
  /** Queues it for a connection again. */
  readonly waitAgain: () => void
  /** Called when an answer is fine; undefined for requests that say nothing about calls. */
  readonly served: { any: boolean } | undefined
  /** Sends it again on a new connection; undefined for what must not be sent twice. */
  readonly sendAgain: (() => void) | undefined
}
