import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { parseAnswer } from '../wire/wire-answer.ts'

/** The job API's report of a job. */
export type JobReport = {
  readonly id: string | undefined
  /** Undefined if `/stream` returned a bare list. */
  readonly status: JobStatus | undefined
  /** The result of a finished job, and its error. */
  readonly output: unknown
  readonly error: unknown
  /** The pieces that the worker has yielded since the last request to `/stream`. */
  readonly pieces: readonly unknown[]
  /** The execution time, which is billed. Time in the queue is not. */
  readonly executionMs: number | undefined
  readonly workerId: string | undefined
}

export type JobStatus = 'waiting' | 'completed' | 'failed' | 'cancelled' | 'timed out'

/** Reads an answer of `/run`, `/runsync`, `/status` or `/stream`. Throws `invalid_response` for anything else. */
export function readJobReport(text: string, provider: string): JobReport {
  const body = parseAnswer(text)
  if (Array.isArray(body)) return { ...reportOf({}), status: undefined, pieces: body.map(outputOf) }
  if (!isObject(body)) throw unreadable('The upstream did not answer in JSON.', provider)
  const { status, error } = body
  const known = typeof status === 'string' ? statuses.get(status) : undefined
  // An error without a status: the job did not run.
  if (known === undefined && !isError(error)) {
    throw unreadable('The upstream sent an answer without the status of a job.', provider)
  }
  return { ...reportOf(body), status: known ?? 'failed' }
}

export function isOver({ status }: JobReport): boolean {
  return status !== undefined && status !== 'waiting'
}

const statuses: ReadonlyMap<string, JobStatus> = new Map([
  ['IN_QUEUE', 'waiting'],
  ['IN_PROGRESS', 'waiting'],
  ['RUNNING', 'waiting'],
  ['COMPLETED', 'completed'],
  ['FAILED', 'failed'],
  ['CANCELLED', 'cancelled'],
  ['TIMED_OUT', 'timed out'],
])

function reportOf(body: JsonObject): Omit<JobReport, 'status'> {
  const { id, output, error, executionTime, workerId, stream } = body
  return {
    id: typeof id === 'string' && id !== '' ? id : undefined,
    output,
    error,
    pieces: Array.isArray(stream) ? stream.map(outputOf) : [],
    executionMs: typeof executionTime === 'number' && executionTime >= 0 ? executionTime : undefined,
    workerId: typeof workerId === 'string' ? workerId : undefined,
  }
}

function outputOf(piece: unknown): unknown {
  return isObject(piece) && 'output' in piece ? piece['output'] : piece
}

function isError(error: unknown): boolean {
  return error !== undefined && error !== null && error !== ''
}

function unreadable(message: string, provider: string): Failure {
  return new Failure('invalid_response', message, { provider })
}
