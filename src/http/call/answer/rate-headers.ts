import type { CallRecord } from '../../../core/model/record/record.ts'
import type { Headroom } from '../../../core/model/terms.ts'
import type { FlatHeaders } from './send.ts'

/** The headers of the tightest rate limits in the dialect's form; none if the key has no limits. */
export function rateHeaders({ rates, dialect, startedEpochMs }: CallRecord): FlatHeaders {
  if (rates === undefined) return []
  const { requests, tokens } = rates
  if (dialect === 'messages') {
    return [
      ...anthropic('requests', requests, startedEpochMs),
      ...anthropic('tokens', tokens, startedEpochMs),
    ]
  }
  return [...openai('requests', requests), ...openai('tokens', tokens)]
}

function openai(what: string, headroom: Headroom | undefined): readonly string[] {
  if (headroom === undefined) return []
  const { limit, remaining, resetMs } = headroom
  return [
    ...[`x-ratelimit-limit-${what}`, String(limit)],
    ...[`x-ratelimit-remaining-${what}`, String(remaining)],
    ...[`x-ratelimit-reset-${what}`, duration(resetMs)],
  ]
}

function anthropic(what: string, headroom: Headroom | undefined, nowEpochMs: number): readonly string[] {
  if (headroom === undefined) return []
  const { limit, remaining, resetMs } = headroom
  // Whole seconds, rounded up (RFC 3339).
  const reset = new Date(Math.ceil((nowEpochMs + resetMs) / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  return [
    ...[`anthropic-ratelimit-${what}-limit`, String(limit)],
    ...[`anthropic-ratelimit-${what}-remaining`, String(remaining)],
    ...[`anthropic-ratelimit-${what}-reset`, reset],
  ]
}

/** A duration in OpenAI's form: `20ms`, `1s`, `6m0s`. */
function duration(ms: number): string {
  if (Math.ceil(ms) < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
