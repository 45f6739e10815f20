import { causeCodeOf } from '../model/record/fields/failure-fields.ts'
import type { AttemptRecord } from '../model/record/record.ts'

/** Upstream headers about its state and when to retry; none contains any part of an answer. */
export function loggingHeaders(
  status: number,
  header: (name: string) => string | undefined,
): Readonly<Record<string, string | number>> {
  const headers: Record<string, string | number> = { upstreamStatus: status }
  for (const name of telling) {
    const value = header(name)
    if (value !== undefined) headers[name] = value.replace(/[^\x20-\x7e]/g, '').slice(0, mostCharacters)
  }
  return headers
}

const mostCharacters = 100

const telling = [
  ...['content-type', 'content-length', 'transfer-encoding', 'retry-after', 'retry-after-ms', 'server'],
  ...['x-should-retry', 'x-ratelimit-reset', 'x-ratelimit-remaining', 'x-ratelimit-limit'],
  ...['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-requests'],
  ...['x-ratelimit-reset-tokens', 'x-request-id', 'request-id', 'cf-ray'],
]

/** The outcome of an attempt, without any of its text. */
export function endOfAttempt(attempt: string, entry: AttemptRecord): object {
  const { failure } = entry
  return {
    ...{ attempt, deployment: entry.deployment, outcome: entry.outcome, code: failure?.code ?? undefined },
    ...{ upstreamStatus: entry.upstreamStatus, retryAfterMs: failure?.retryAfterMs },
    ...{ operatorNote: failure?.operatorNote, causeCode: causeCodeOf(failure) },
    ...{ headersMs: inHundredths(entry.headersMs), firstTokenMs: inHundredths(entry.firstTokenMs) },
    totalMs: inHundredths(entry.totalMs),
  }
}

function inHundredths(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100
}
