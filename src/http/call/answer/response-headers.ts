import type { OpenRecord } from '../../../core/account/recorder.ts'
import type { Failure } from '../../../core/model/failure.ts'
import { usdText } from '../../../core/model/price.ts'
import { rateHeaders } from './rate-headers.ts'
import type { FlatHeaders } from './send.ts'

/** What an answer tells of how it was made. Also sets the record's overhead: this is the moment of the first byte. */
export function answerHeaders(record: OpenRecord): FlatHeaders {
  const { row } = record
  noteOverhead(record)
  const headers = [
    'x-request-id',
    row.id,
    'x-pandotate-attempts',
    String(row.attempts.length),
    'x-pandotate-overhead-ms',
    row.overheadMs.toFixed(2),
  ]
  if (row.provider !== undefined) headers.push('x-pandotate-provider', safe(row.provider))
  if (row.deployment !== undefined) headers.push('x-pandotate-deployment', safe(row.deployment))
  if (row.successor !== undefined) headers.push('x-pandotate-successor', safe(row.successor))
  if (row.upstreamModel !== undefined) headers.push('x-pandotate-upstream-model', safe(row.upstreamModel))
  // The cost of a stream is known at its end, when its headers are long gone.
  if (row.costNanoUsd !== undefined) headers.push('x-pandotate-cost-usd', usdText(row.costNanoUsd))
  if (row.cache !== undefined) headers.push('x-pandotate-cache', row.cache)
  headers.push(...replayHeaders(record))
  if (row.rates !== undefined) headers.push(...rateHeaders(row))
  if (row.limit !== undefined) headers.push('x-pandotate-limit', safe(row.limit))
  if (row.dropped.size > 0) {
    headers.push('x-pandotate-dropped-params', Array.from(row.dropped, safe).join(', '))
  }
  return headers
}

/** That the answer was made for a request before this one, under the same Idempotency-Key. */
export function replayHeaders({ row }: OpenRecord): FlatHeaders {
  return row.cache === 'replay' ? ['idempotent-replayed', 'true'] : []
}

/** Sets the record's overhead, where the answer begins now, its headers gone before. */
export function noteOverhead(record: OpenRecord): void {
  record.row.overheadMs = overheadOf(record)
}

/** As for an answer, and what the failure says of when to come back. */
export function failureHeaders(record: OpenRecord, failure: Failure): FlatHeaders {
  const { row } = record
  row.deployment ??= row.attempts.at(-1)?.deployment
  row.provider ??= failure.provider
  const { 'x-pandotate-limit': limit = row.limit, ...others } = failure.headers
  row.limit = limit
  const headers = [...answerHeaders(record)]
  for (const [name, value] of Object.entries(others)) headers.push(name, value)
  const isFinal = others['x-should-retry'] === 'false'
  if (!isFinal && !isWorthRetrying(record, failure)) headers.push('x-should-retry', 'false')
  const isUntold = !isFinal && (failure.status === 429 || failure.status === 503)
  const waitMs = failure.retryAfterMs ?? (isUntold ? untoldMs : undefined)
  if (waitMs !== undefined) {
    // Seconds, whole and at least one: clients that read only this must not come back too soon.
    headers.push('retry-after', String(Math.max(1, Math.ceil(waitMs / 1000))))
    headers.push('retry-after-ms', String(Math.ceil(waitMs)))
  }
  return headers
}

/** Where no upstream said how long it lasts. LangChain for Node.js gives up at a 429 that says nothing of it. */
const untoldMs = 1000

/**
 * What was tried here has been paid for, or may have been: an SDK that tried all of it again would multiply that. One
 * that cannot wait as long as it has to (OpenAI's own wait a minute at most) would come back too soon. And where our key
 * was refused at every place, or its address is wrong, it stays so until somebody mends that.
 */
function isWorthRetrying({ row: { attempts } }: OpenRecord, { kind, retryAfterMs = 0 }: Failure): boolean {
  if (retryAfterMs > 60_000) return false
  if (attempts.some(({ isUncertain, used }) => isUncertain || used !== undefined)) return false
  return !isForOperators(kind) || !attempts.every(({ outcome }) => isForOperators(outcome))
}

function isForOperators(kind: string): boolean {
  return kind === 'upstream_auth' || kind === 'path_not_found'
}

/** The time to the first byte that no attempt and no wait between attempts accounts for. */
function overheadOf(record: OpenRecord): number {
  const { row } = record
  const upstreamMs = row.attempts.reduce(
    (until, attempt) => Math.max(until, attempt.startMs + (attempt.firstTokenMs ?? attempt.totalMs)),
    row.attempts[0]?.startMs ?? 0,
  )
  const [first] = row.attempts
  // A wait for a place at the first upstream was before its attempt began.
  const firstStartMs = (first?.startMs ?? 0) - (first?.queuedMs ?? 0)
  return Math.max(0, record.elapsedMs() - (upstreamMs - firstStartMs))
}

/** Names come from a configuration or a request: what a header may not hold is left out of them. */
function safe(name: string): string {
  if (isSafe.test(name)) return name
  return name.replace(/[^\w.:/@*[\]-]/g, '_').slice(0, 128)
}

const isSafe = /^[\w.:/@*[\]-]{0,128}$/
