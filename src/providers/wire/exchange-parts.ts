import type { Batch } from '../../core/attempt/batch.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { Connections } from './connections.ts'

export type WireParts = {
  /** The upstream's name, told with its failures. */
  readonly name: string
  /** `https://host:port`: the one place that requests, and the credentials in them, can go. */
  readonly origin: string
  readonly connectMs: number
  /** How many requests may be under way at once; more wait for their turn. */
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
  /** Up to this length, an answer that may be is given when it is whole; 0: as soon as its headers are there. */
  readonly wholeBytes: number
  /** Has it wait for a connection once more. */
  readonly waitAgain: () => void
  /** To be set once an answer is fine; undefined for what shows nothing of calls. */
  readonly served: { any: boolean } | undefined
  /** Sends it once more, by a fresh connection; undefined for what may not be sent twice unasked. */
  readonly sendAgain: (() => void) | undefined
}
