import { pause } from '../../core/attempt/pause.ts'
import type { Call, RawDelta } from '../../core/model/call.ts'
import { controllerUnder } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'
import type { Attempt } from '../../core/model/ports.ts'
import type { RequestContext } from '../http-error/http-error.ts'
import type { JobApi } from './api.ts'
import { jobFailure } from './error.ts'
import type { JobRequest } from './input.ts'
import { isOver, type JobReport } from './job-status.ts'
import { createOutputReader, type OutputReader } from './output.ts'

export type JobParts = {
  readonly api: JobApi
  readonly asked: RequestContext
  readonly request: (call: Call, attempt: Attempt) => Promise<JobRequest>
}

/** Runs a call as a job, and returns its answer when the job has finished. An abandoned job is cancelled. */
export async function wholeJob(call: Call, attempt: Attempt, parts: JobParts): Promise<readonly RawDelta[]> {
  const request = await parts.request(call, attempt)
  const reader = createOutputReader({ call, request, asked: parts.asked })
  using job = new Job(await parts.api.create('runsync', request.text, attempt, parts.asked), attempt, parts)
  for (let looks = 0; !job.isOver; looks++) {
    await job.pause(looks)
    await job.look('status')
  }
  const deltas = [...reader.read(job.output()), ...reader.end()]
  noteEnding(reader, attempt)
  return deltas
}

/** Runs a call as a job, and streams its answer. An abandoned job is cancelled. */
export async function* streamedJob(
  call: Call,
  attempt: Attempt,
  parts: JobParts,
): AsyncGenerator<readonly RawDelta[], void, void> {
  const request = await parts.request(call, attempt)
  const reader = createOutputReader({ call, request, asked: parts.asked })
  using job = new Job(await parts.api.create('run', request.text, attempt, parts.asked), attempt, parts)
  for (let looks = 0, isDry = job.isOver; !isDry; looks++) {
    const wasOver = job.isOver
    const report = await job.look('stream')
    const deltas = report.pieces.flatMap((piece) => reader.read(piece))
    if (deltas.length > 0) yield deltas
    if (report.pieces.length > 0) looks = 0
    // A bare list has no status, so the status is requested. Pieces may still follow until the job has finished.
    else if (report.status === undefined && !wasOver) await job.look('status')
    isDry = report.pieces.length === 0 && (wasOver || isOver(report))
    if (!job.isOver) await job.pause(looks)
  }
  const rest = [...(await job.complete(reader)), ...reader.end()]
  noteEnding(reader, attempt)
  yield rest
}

/** Waits between polls of a job, in milliseconds; the last one repeats. */
const pausesMs = [100, 150, 250, 400, 700, 1000] as const
const longestPauseMs = 1000

/** The maximum Retry-After that a poll respects. */
const mostPatienceMs = 10_000

/** The maximum wait of a finished answer for its billed time. */
const briefMs = 5000

/** A job at the endpoint, from its creation to its end. */
class Job implements Disposable {
  readonly #id: string
  readonly #attempt: Attempt
  readonly #parts: JobParts
  #report: JobReport

  constructor(report: JobReport, attempt: Attempt, parts: JobParts) {
    if (report.id === undefined && !isOver(report)) {
      const message = 'The upstream accepted the job without giving its id.'
      throw new Failure('invalid_response', message, { provider: parts.asked.provider })
    }
    this.#id = report.id ?? ''
    this.#attempt = attempt
    this.#parts = parts
    this.#report = report
    attempt.notes.upstreamRequestId = this.#id.replace(/[^\w.:-]/g, '').slice(0, 128) || undefined
    this.#take(report)
  }

  get isOver(): boolean {
    return isOver(this.#report)
  }

  /** Polls the job. Rate-limited polls are repeated, because the job continues meanwhile. */
  async look(operation: 'status' | 'stream'): Promise<JobReport> {
    while (true) {
      try {
        return this.#take(await this.#look(operation))
      } catch (thrown) {
        if (!(thrown instanceof Failure) || !transientKinds.has(thrown.kind)) throw thrown
        await this.#wait(Math.min(Math.max(thrown.retryAfterMs ?? 0, longestPauseMs), mostPatienceMs))
      }
    }
  }

  async pause(looks: number): Promise<void> {
    await this.#wait(pausesMs[looks] ?? longestPauseMs)
  }

  /** The worker's output. Throws a Failure if the job did not complete. */
  output(): unknown {
    if (this.#report.status === 'completed') return this.#report.output
    throw jobFailure(this.#report, this.#parts.asked)
  }

  /**
   * Completes a stream after its last piece. Throws the job's Failure. Requests the billed time, which `/stream` may
   * not report. Returns the whole output of a worker that does not stream.
   */
  async complete(reader: OutputReader): Promise<readonly RawDelta[]> {
    const { status, error, output: told } = this.#report
    const isUnread = reader.isEmpty && told === undefined
    const isUnpriced = this.#attempt.notes.billedMs === undefined
    if (status === 'completed' ? isUnread || isUnpriced : status === 'failed' && error === undefined) {
      await (isUnread ? this.look('status') : this.#lookBriefly())
    }
    const output = this.output()
    return reader.isEmpty ? reader.read(output) : []
  }

  [Symbol.dispose](): void {
    if (!this.isOver) this.#parts.api.cancel(this.#id, this.#attempt)
  }

  #look(operation: 'status' | 'stream', attempt = this.#attempt): Promise<JobReport> {
    return this.#parts.api.look(operation, this.#id, attempt, this.#parts.asked)
  }

  /** Errors are ignored: a finished answer must not be lost because its billed time is unknown. */
  async #lookBriefly(): Promise<void> {
    const { signal } = this.#attempt
    const late = controllerUnder(signal)
    const clock = setTimeout(() => late.abort(), briefMs)
    try {
      const brief = { ...this.#attempt, signal: late.signal }
      this.#take(await this.#look('status', brief))
    } catch (thrown) {
      signal.throwIfAborted()
      if (!late.signal.aborted && !(thrown instanceof Failure)) throw thrown
    } finally {
      clearTimeout(clock)
      late.abort()
    }
  }

  /** Keeps values from earlier reports, because not every report has all of them. */
  #take(report: JobReport): JobReport {
    const before = this.#report
    this.#report = {
      ...report,
      status: report.status ?? before.status,
      output: report.output ?? before.output,
      error: report.error ?? before.error,
    }
    this.#attempt.notes.billedMs = report.executionMs ?? this.#attempt.notes.billedMs
    return report
  }

  /** Rejects with the reason of the attempt's signal as soon as it aborts. */
  async #wait(ms: number): Promise<void> {
    const { signal } = this.#attempt
    await pause(ms, signal)
  }
}

const transientKinds: ReadonlySet<string> = new Set(['rate_limited', 'overloaded'])

/** Notes that a completed job gave its whole answer. */
function noteEnding({ isDamaged }: OutputReader, { notes }: Attempt): void {
  notes.ending = 'value'
  if (isDamaged) notes.converted.push('characters that the worker split to U+FFFD')
}
