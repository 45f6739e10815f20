import { Failure } from './failure.ts'
import type { Call, Clocks, Delta } from './model.ts'
import type { AttemptNotes, Clock, Deployment } from './ports.ts'
import type { AttemptRecord, CallRecord } from './record.ts'

export type AttemptParts = {
  readonly call: Call
  readonly deployment: Deployment
  /** The caller's: aborts with the Failure that says why. */
  readonly signal: AbortSignal
  /** When the call began, and when it must be over, on the clock's monotonic milliseconds. */
  readonly startedAt: number
  readonly deadlineAt: number
  /** Which part of a fanned-out call, from 0. */
  readonly part: number
  readonly record: CallRecord
  readonly clock: Clock
  /** Told of every delta of the answer that is committed to, and of no other. */
  readonly note: (deltas: readonly Delta[]) => void
}

/** The life of one attempt: its abort signal, its clocks, its row in the record. Ends exactly once. */
export interface OpenAttempt {
  /** `req_…-0`: the call's id, and the place of the attempt's row in the record. */
  readonly id: string
  /** Aborts when the caller leaves, when a clock runs out, and when the attempt has failed. */
  readonly signal: AbortSignal
  readonly notes: AttemptNotes
  /** The first visible delta, or the whole reply, is in hand. */
  commit(): void
  /** The attempt is over: `ok`, or the kind of a failure. */
  end(outcome: string): void
  /** Ends the attempt, gives up the connection, and says which error it was: a caller's leaving comes first. */
  fail(thrown: unknown): unknown
  /** Ends the attempt as left by its reader, unless it has ended. */
  leave(): void
  /** Watches the idle and total clocks of a stream until disposed. */
  watch(timeout: () => Failure): IdleWatch
}

/** The idle clock runs only while the upstream is waited for, never while the caller is slow to read. */
export interface IdleWatch extends Disposable {
  waiting(): void
  arrived(): void
}

/** Begins an attempt: its row is in the record from now on. Throws the caller's reason when they left already. */
export function openAttempt(parts: AttemptParts): OpenAttempt {
  const { signal, clock, startedAt } = parts
  signal.throwIfAborted()
  const controller = new AbortController()
  const follow = () => controller.abort(signal.reason)
  signal.addEventListener('abort', follow, { once: true })
  const entry = beginEntry(parts)
  const notes: AttemptNotes = {
    headersAt: undefined,
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
    billedMs: undefined,
    dropped: [],
    converted: [],
  }
  const sinceStart = () => clock.now() - startedAt - entry.startMs
  let ended = false
  const end = (outcome: string) => {
    if (ended) return
    ended = true
    signal.removeEventListener('abort', follow)
    entry.outcome = outcome
    entry.totalMs = sinceStart()
    keepNotes(parts, entry, notes)
  }
  return {
    id: `${parts.record.id}-${parts.record.attempts.length - 1}`,
    signal: controller.signal,
    notes,
    commit() {
      entry.firstTokenMs = sinceStart()
      keepNotes(parts, entry, notes)
    },
    end,
    fail(thrown) {
      const told: unknown = signal.aborted ? signal.reason : thrown
      const reason = told instanceof Failure ? told.at(parts.deployment.upstream.name) : told
      end(reason instanceof Failure ? reason.kind : 'internal')
      controller.abort(reason)
      return reason
    },
    leave() {
      if (ended) return
      end('caller_left')
      controller.abort(new Failure('caller_left', 'The caller left.'))
    },
    watch(timeout) {
      const { clocks } = parts.deployment
      const leftMs = Math.min(clocks.totalMs - sinceStart(), parts.deadlineAt - clock.now())
      return watchClocks(clocks, leftMs, () => controller.abort(timeout()))
    },
  }
}

function beginEntry({ deployment, part, record, clock, startedAt }: AttemptParts): AttemptRecord {
  const entry: AttemptRecord = {
    deployment: deployment.id,
    part,
    startMs: clock.now() - startedAt,
    headersMs: undefined,
    firstTokenMs: undefined,
    totalMs: 0,
    outcome: 'ok',
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
  }
  record.attempts.push(entry)
  return entry
}

function keepNotes({ record, startedAt }: AttemptParts, entry: AttemptRecord, notes: AttemptNotes): void {
  if (notes.headersAt !== undefined) entry.headersMs = notes.headersAt - startedAt - entry.startMs
  entry.upstreamStatus = notes.upstreamStatus
  entry.upstreamRequestId = notes.upstreamRequestId
  for (const name of notes.dropped) record.dropped.add(name)
  for (const name of notes.converted) record.converted.add(name)
}

function watchClocks({ idleMs }: Clocks, leftMs: number, expire: () => void): IdleWatch {
  let isWaiting = false
  const idle = setTimeout(() => {
    if (isWaiting) expire()
  }, idleMs)
  const total = setTimeout(expire, Math.max(leftMs, 1))
  return {
    waiting() {
      isWaiting = true
      idle.refresh()
    },
    arrived() {
      isWaiting = false
    },
    [Symbol.dispose]() {
      clearTimeout(idle)
      clearTimeout(total)
    },
  }
}
