import { pause } from '../../core/attempt/pause.ts'
import type { Workers } from './workers.ts'

/** The outcome of a job. If the worker disappears, it is only `TIMED_OUT`. */
export type Outcome =
  | { readonly status: 'COMPLETED'; readonly output: unknown }
  | { readonly status: 'FAILED'; readonly error: string }
  | { readonly status: 'TIMED_OUT' | 'CANCELLED' }

/** Does the work of one job. Yielded pieces appear at `/stream`. Rejects with the signal's reason. */
export type Work = (signal: AbortSignal, yields: (piece: unknown) => void) => Promise<Outcome>

export type JobRequest = {
  readonly work: Work
  /** The time for which a finished job is known. */
  readonly keptMs: number
  /** The time for which the output of a finished job can be streamed. */
  readonly streamedMs: number
  readonly isSync: boolean
  /** Called with the worker's time, with every outcome. */
  readonly charge: (executionMs: number) => void
}

/** A job, as a client sees it. */
export interface SimulatedJob {
  /** The body of `/status`. */
  report(): object
  /** The body of `/stream`, with the pieces since the last call; undefined if the output has expired. */
  streamed(): object | undefined
  cancel(): void
  /** Resolves when the job has finished. */
  readonly over: Promise<void>
}

/** The jobs of one endpoint. */
export interface JobStore {
  create(request: JobRequest): SimulatedJob
  /** Undefined for an unknown or expired job. */
  find(id: string): SimulatedJob | undefined
  counts(): JobCounts
}

export type JobCounts = {
  readonly completed: number
  readonly failed: number
  readonly inProgress: number
  readonly inQueue: number
  readonly retried: number
}

export type JobStoreParts = {
  readonly workers: Workers
  readonly now: () => number
  readonly closing: AbortSignal
}

export function createJobStore(parts: JobStoreParts): JobStore {
  const jobs = new Map<string, Entry>()
  const countOf = (...statuses: readonly Status[]) =>
    jobs.values().reduce((sum, { status }) => sum + (statuses.includes(status) ? 1 : 0), 0)
  return {
    create(request) {
      const { entry, job } = openJob(`${String(jobs.size + 1).padStart(8, '0')}-sim`, request, parts)
      jobs.set(entry.id, entry)
      return job
    },
    find(id) {
      const entry = jobs.get(id)
      return entry === undefined || sinceEnd(entry, parts) >= entry.request.keptMs
        ? undefined
        : jobOf(entry, parts)
    },
    counts: () => ({
      completed: countOf('COMPLETED'),
      failed: countOf('FAILED', 'TIMED_OUT', 'CANCELLED'),
      inProgress: countOf('IN_PROGRESS'),
      inQueue: countOf('IN_QUEUE'),
      retried: 0,
    }),
  }
}

type Status = 'IN_QUEUE' | 'IN_PROGRESS' | Outcome['status']

type Entry = {
  readonly id: string
  readonly request: JobRequest
  readonly controller: AbortController
  readonly over: Promise<void>
  readonly createdAt: number
  status: Status
  outcome: Outcome | undefined
  pieces: unknown[]
  delayMs: number | undefined
  executionMs: number | undefined
  endedAt: number | undefined
}

function openJob(number: string, request: JobRequest, parts: JobStoreParts) {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const entry: Entry = {
    id: request.isSync ? `sync-${number}-u1` : `${number}-u1`,
    ...{ request, over, controller: new AbortController(), createdAt: parts.now() },
    ...{ status: 'IN_QUEUE', outcome: undefined, pieces: [] },
    ...{ delayMs: undefined, executionMs: undefined, endedAt: undefined },
  }
  void run(entry, parts).then(resolve)
  return { entry, job: jobOf(entry, parts) }
}

/** Runs a job. It rejects only because of a bug. */
async function run(entry: Entry, { workers, now, closing }: JobStoreParts): Promise<void> {
  const signal = AbortSignal.any([entry.controller.signal, closing])
  const outcome = await worked(entry, signal, workers, now).catch((thrown: unknown): Outcome => {
    if (!signal.aborted) throw thrown
    return { status: 'CANCELLED' }
  })
  entry.outcome = outcome
  entry.status = outcome.status
  entry.endedAt = now()
}

async function worked(
  entry: Entry,
  signal: AbortSignal,
  workers: Workers,
  now: () => number,
): Promise<Outcome> {
  await workers.take(signal)
  const startedAt = now()
  entry.delayMs = Math.round(startedAt - entry.createdAt)
  entry.status = 'IN_PROGRESS'
  try {
    return await entry.request.work(signal, (piece) => entry.pieces.push(piece))
  } finally {
    // RunPod reports whole milliseconds; 0 would look like a job that did not run.
    entry.executionMs = Math.max(1, Math.round(now() - startedAt))
    entry.request.charge(entry.executionMs)
    workers.free()
  }
}

function jobOf(entry: Entry, parts: JobStoreParts): SimulatedJob {
  return {
    over: entry.over,
    report: () => reportOf(entry),
    streamed() {
      if (sinceEnd(entry, parts) >= entry.request.streamedMs) return undefined
      const stream = entry.pieces.map((output) => ({ output }))
      entry.pieces = []
      return { status: entry.status, stream }
    },
    cancel: () => entry.controller.abort(),
  }
}

function sinceEnd({ endedAt }: Entry, { now }: JobStoreParts): number {
  return endedAt === undefined ? Number.NEGATIVE_INFINITY : now() - endedAt
}

function reportOf({ id, status, outcome, delayMs, executionMs }: Entry): object {
  const times = { delayTime: delayMs, executionTime: executionMs }
  if (outcome?.status === 'COMPLETED') {
    return { ...times, id, output: outcome.output, status, workerId: 'simworker0001' }
  }
  if (outcome?.status === 'FAILED') return { ...times, id, status, error: outcome.error }
  return { id, status }
}

/** Resolves when the job has finished, or after the wait. Rejects when the client has disconnected. */
export async function waitForJob(job: SimulatedJob, waitMs: number, signal: AbortSignal): Promise<void> {
  const enough = new AbortController()
  const late = pause(waitMs, AbortSignal.any([signal, enough.signal])).catch(() => undefined)
  await Promise.race([job.over, late])
  enough.abort()
  signal.throwIfAborted()
}
