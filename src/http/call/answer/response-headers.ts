import type { OpenRecord } from '../../../core/account/open-record.ts'
import type { Failure } from '../../../core/model/failure.ts'
import { usdText } from '../../../core/model/price.ts'
import { rateHeaders } from './rate-headers.ts'
import type { FlatHeaders } from './send.ts'

/**
 * The headers that describe how an answer was made. Also sets the record's overhead, because the first byte is sent
 * now.
 */
export function answerHeaders(record: OpenRecord): FlatHeaders {
  const { row } = record
  record.firstByte()
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
  // The cost of a stream is known only at its end, long after its headers.
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

/** Marks an answer that was made for an earlier request with the same Idempotency-Key. */
export function replayHeaders({ row }: OpenRecord): FlatHeaders {
  return row.cache === 'replay' ? ['idempotent-replayed', 'true'] : []
}

/** The headers of an answer, plus the failure's advice on retrying. */
export function failureHeaders(record: OpenRecord, failure: Failure): FlatHeaders {
  // `answerHeaders` sets this one.
  const { 'x-pandotate-limit': _limit, ...others } = failure.headers
  const headers = [...answerHeaders(record)]
  for (const [name, value] of Object.entries(others)) headers.push(name, value)
  const isFinal = others['x-should-retry'] === 'false'
  if (!isFinal && !isWorthRetrying(record, failure)) headers.push('x-should-retry', 'false')
  const isUntold = !isFinal && (failure.status === 429 || failure.status === 503)
  const waitMs = failure.retryAfterMs ?? (isUntold ? untoldMs : undefined)
  if (waitMs !== undefined) {
    // Whole seconds, at least one: clients that read only this must not retry too soon.
    headers.push('retry-after', String(Math.max(1, Math.ceil(waitMs / 1000))))
    headers.push('retry-after-ms', String(Math.ceil(waitMs)))
  }
  return headers
}

/** The Retry-After if no upstream named one. LangChain for Node.js does not retry a 429 without it. */
const untoldMs = 1000

/**
 * False in three cases. An attempt was or may have been billed: an SDK that repeats the call would multiply the cost.
 * The wait is longer than a minute, the maximum of OpenAI's SDKs, so they would retry too soon. All attempts failed
 * because of a refused key or a wrong address, which only an operator can fix.
 */
function isWorthRetrying({ row: { attempts } }: OpenRecord, { kind, retryAfterMs = 0 }: Failure): boolean {
  if (retryAfterMs > 60_000) return false
  if (attempts.some(({ isUncertain, used }) => isUncertain || used !== undefined)) return false
  return !isForOperators(kind) || !attempts.every(({ outcome }) => isForOperators(outcome))
}

function isForOperators(kind: string): boolean {
  return kind === 'upstream_auth' || kind === 'path_not_found'
}

/** Replaces characters that a header may not contain, because names come from the configuration or the request. */
function safe(name: string): string {
  if (isSafe.test(name)) return name
  return name.replace(/[^\w.:/@*[\]-]/g, '_').slice(0, 128)
}

const isSafe = /^[\w.:/@*[\]-]{0,128}$/
