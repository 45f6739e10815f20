import type { LoadClients } from '../load/load-clients.ts'

/** What every measurement needs. */
export type Means = { readonly load: LoadClients; readonly effort: Effort }

/**
 * How long and how often everything is measured. Rounds go through all targets in turn, and many short ones bear a
 * machine of changing speed better than few long ones.
 */
export type Effort = {
  /** How often each target is started; the rounds are those of each instance. */
  readonly instances: number
  readonly throughputRounds: number
  readonly latencyRounds: number
  readonly streamRounds: number
  readonly memoryRounds: number
  /** For each scenario, unless its code is compiled before. */
  readonly warmUpMs: number
  readonly throughputMs: number
  readonly latencyMs: number
  readonly streamMs: number
  /** Given to processes to come to rest before their memory is read. */
  readonly restMs: number
  /** Between two readings of resident memory; five are taken. */
  readonly requestsPerReading: number
}

/** About ten minutes. */
export const fullEffort: Effort = {
  instances: 3,
  throughputRounds: 8,
  latencyRounds: 2,
  streamRounds: 4,
  memoryRounds: 3,
  warmUpMs: 5000,
  throughputMs: 400,
  latencyMs: 1200,
  streamMs: 1000,
  restMs: 1500,
  requestsPerReading: 20_000,
}

/** About a minute; with rounds so few and short it tells a third from a half, not 0.9 from 1.0. */
export const quickEffort: Effort = {
  instances: 1,
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
