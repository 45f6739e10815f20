import type { CallSignal } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'
import type { Attempt, AttemptNotes } from '../../core/model/ports.ts'
import type { RequestContext } from '../http-error/http-error.ts'
import { replyBytes } from '../openai/stream.ts'
import type { Wire } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { readJobRefusal } from './error.ts'
import { isOver, type JobReport, readJobReport } from './job-status.ts'

/** The job API of one endpoint. Rejects with a Failure, or with the reason of the attempt's signal. */
export interface JobApi {
  /**
   * Creates a job. If the caller disconnects before the job's id is known, this rejects at once. The id is then awaited
   * in the background, and the job cancelled.
   */
  create(
    operation: 'run' | 'runsync',
    body: string,
    attempt: Attempt,
    asked: RequestContext,
  ): Promise<JobReport>
  /** Polls a job. `stream` returns each piece of output only once, so pieces of a lost answer cannot be recovered. */
  look(
    operation: 'status' | 'stream',
    id: string,
    attempt: Attempt,
    asked: RequestContext,
  ): Promise<JobReport>
  /** Cancels a job. It is not awaited, and its outcome is ignored. */
  cancel(id: string, attempt: Attempt): void
  /** Resolves when pending cancellations have been sent, or after 0.5 s. */
  settle(): Promise<void>
}

export type ApiParts = {
  /** For jobs and their status. */
  readonly wire: Wire
  /** For cancellations, which must not queue behind jobs. */
  readonly controlWire: Wire
  /** `/v2/{endpoint}` */
  readonly prefix: string
  readonly headers: string[]
  /** How long `/runsync` holds a request. */
  readonly waitMs: number
}

export function createJobApi(parts: ApiParts): JobApi {
  const { wire, prefix, headers } = parts
  const canceller = createCanceller(parts)
  const paths = { run: `${prefix}/run`, runsync: `${prefix}/runsync?wait=${parts.waitMs}` }
  return {
    async create(operation, body, attempt, asked) {
      attempt.signal.throwIfAborted()
      const own = new AbortController()
      const created = withNotes(
        attempt,
        own.signal,
        async (inner) => await reportIn(await wire.post(paths[operation], headers, body, inner), asked),
      )
      try {
        return await unlessAborted(created, attempt.signal)
      } finally {
        if (attempt.signal.aborted) {
          const clock = setTimeout(() => own.abort(), (operation === 'run' ? 0 : parts.waitMs) + graceMs)
          clock.unref()
          const late = created.then((report) => isOver(report) || canceller.cancel(report.id, attempt))
          void late.catch(() => undefined).finally(() => clearTimeout(clock))
        }
      }
    },
    look: (operation, id, attempt, asked) =>
      withNotes(attempt, attempt.signal, async (inner) => {
        const path = `${prefix}/${operation}/${encodeURIComponent(id.toWellFormed())}`
        const answer = await wire.get(path, headers, inner)
        if (answer.status !== 404) return await reportIn(answer, asked)
        answer.discard()
        const { provider } = asked
        const message = 'The upstream no longer knows the job.'
        throw new Failure('upstream_error', message, { provider, upstreamStatus: 404 })
      }),
    cancel: canceller.cancel,
    settle: canceller.settle,
  }
}

/** The time limit for `/cancel`, and for the id of a job whose caller has disconnected. */
const graceMs = 5000

/** How long closing waits for cancellations. */
const settleMs = 500

type Canceller = {
  readonly cancel: (id: string | undefined, attempt: Attempt) => void
  readonly settle: () => Promise<void>
}

function createCanceller({ controlWire, prefix, headers }: ApiParts): Canceller {
  const pending = new Set<Promise<void>>()
  return {
    cancel(id, attempt) {
      if (id === undefined) return
      const fresh: Attempt = { ...attempt, signal: AbortSignal.timeout(graceMs), notes: blankNotes() }
      const path = `${prefix}/cancel/${encodeURIComponent(id.toWellFormed())}`
      const sent = controlWire.post(path, headers, '', fresh).then(
        (answer) => answer.discard(),
        () => undefined,
      )
      pending.add(sent)
      void sent.finally(() => pending.delete(sent))
    },
    async settle() {
      if (pending.size === 0) return
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const clock = setTimeout(resolve, settleMs)
      await Promise.race([Promise.all(pending), late])
      clearTimeout(clock)
    },
  }
}

async function reportIn(answer: WireAnswer, asked: RequestContext): Promise<JobReport> {
  if (answer.status < 200 || answer.status >= 300) throw await readJobRefusal(answer, asked)
  return readJobReport(await answer.text(replyBytes), asked.provider)
}

/** Sends one of several requests of an attempt. The attempt's notes keep the first header time and the last status. */
async function withNotes<T>(
  attempt: Attempt,
  signal: CallSignal,
  ask: (inner: Attempt) => Promise<T>,
): Promise<T> {
  const notes = blankNotes()
  try {
    return await ask({ ...attempt, signal, notes })
  } finally {
    attempt.notes.headersAt ??= notes.headersAt
    attempt.notes.upstreamStatus = notes.upstreamStatus ?? attempt.notes.upstreamStatus
    attempt.notes.upstreamRequestId ??= notes.upstreamRequestId
  }
}

/** Notes of a single request. */
export function blankNotes(): AttemptNotes {
  return {
    headersAt: undefined,
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
    billedMs: undefined,
    dropped: [],
    converted: [],
  }
}

function unlessAborted<T>(work: Promise<T>, signal: CallSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
