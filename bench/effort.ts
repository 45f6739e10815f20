import type { LoadClients } from './load-clients.ts'

/** What every measurement needs. */
export type Means = { readonly load: LoadClients; readonly effort: Effort }

/**
 * How long and how often everything is measured. Rounds go through all targets in turn, and many short ones
 * bear a machine of changing speed better than few long ones.
 */
export type Effort = {
  readonly throughputRounds: number
  readonly latencyRounds: number
  readonly streamRounds: number
  readonly memoryRounds: number
  readonly warmUpMs: number
  readonly throughputMs: number
  readonly latencyMs: number
  readonly streamMs: number
  /** Given to processes to come to rest before their memory is read. */
  readonly restMs: number
  /** Between two readings of resident memory; five are taken. */
  readonly requestsPerReading: number
}

/** Under six minutes. */
export const fullEffort: Effort = {
  throughputRounds: 12,
  latencyRounds: 4,
  streamRounds: 8,
  memoryRounds: 3,
  warmUpMs: 1500,
  throughputMs: 500,
  latencyMs: 1200,
  streamMs: 1000,
  restMs: 2000,
  requestsPerReading: 20_000,
}

/** About a minute, and noisier. */
export const quickEffort: Effort = {
  throughputRounds: 4,
  latencyRounds: 1,
  streamRounds: 2,
  memoryRounds: 1,
  warmUpMs: 300,
  throughputMs: 250,
  latencyMs: 300,
  streamMs: 500,
  restMs: 500,
  requestsPerReading: 4000,
}
