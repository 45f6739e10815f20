/** What a load client is told to do: one message, answered by one `Outcome` or one `Trouble`. */
export type Job = ClosedLoopJob | OpenLoopJob | StreamJob | HoldJob | ReleaseJob

/** Each connection sends its next request when it has its answer, until the time or the count is used up. */
export type ClosedLoopJob = {
  readonly kind: 'closed-loop'
  readonly ask: Ask
  readonly connections: number
  readonly durationMs: number
  readonly mostRequests: number
}

/** Requests leave on a schedule, whatever became of the ones before. */
export type OpenLoopJob = {
  readonly kind: 'open-loop'
  readonly ask: Ask
  readonly ratePerSecond: number
  readonly durationMs: number
}

/** So many streams at a time, each followed by the next on its connection. */
export type StreamJob = {
  readonly kind: 'streams'
  readonly ask: Ask
  readonly concurrent: number
  /** Between the starts of neighbours, so that their chunks do not all fall due together. */
  readonly staggerMs: number
  readonly durationMs: number
  /** Fewer events than this is a broken stream. */
  readonly leastEvents: number
}

/** Opens streams, reads on, and keeps them open until they are released. */
export type HoldJob = { readonly kind: 'hold'; readonly ask: Ask; readonly streams: number }

/** Hangs up on every held stream. */
export type ReleaseJob = { readonly kind: 'release' }

/** One POST, to be sent repeatedly. */
export type Ask = { readonly port: number; readonly path: string; readonly body: string }

export type Outcome = {
  readonly requests: number
  readonly seconds: number
  readonly events: number
  /** Per request, in an open loop until the last byte, of a stream until the first one. */
  readonly latenciesMs: readonly number[]
  /** The target could not keep up with the schedule, which was then given up. */
  readonly overrun: boolean
}

/** The job failed: a wrong answer, a lost connection. */
export type Trouble = { readonly trouble: string }

/** An outcome in which nothing has happened yet. */
export const noOutcome: Outcome = { requests: 0, seconds: 0, events: 0, latenciesMs: [], overrun: false }
