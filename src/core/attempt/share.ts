import type { AnyCall } from '../model/call.ts'
import { nearest } from '../model/json/json.ts'
import type { Deployment } from '../model/ports.ts'

export type ShareParts = {
  readonly call: AnyCall
  readonly deployment: Deployment
  /** On the clock's monotonic milliseconds. */
  readonly now: number
  readonly deadlineAt: number
  /** Other places of the plan that have yet to fail. */
  readonly others: number
  /** As measured there recently. */
  readonly tokensPerSecond: number | undefined
  readonly firstTokenMs: number | undefined
  /** It is to show whether what has been failing answers again. */
  readonly isTrial: boolean
}

/**
 * By when an attempt must have an answer to commit to, where others are left to be tried: half of what time there is,
 * so that no attempt eats what was planned for those behind it. An answer that comes whole gives no sign before its end:
 * it has the time of a first token, and then a few times what so many tokens take. A trial, which most likely fails, has
 * less. The last place has all that is left.
 */
export function commitBy(parts: ShareParts): number {
  const { call, now, deadlineAt, others } = parts
  if (others === 0) return deadlineAt
  const share = (deadlineAt - now) / 2
  if (!call.stream) return now + Math.min(share, wholeMs(parts))
  return now + (parts.isTrial ? Math.min(share, firstMs(parts)) : share)
}

function wholeMs(parts: ShareParts): number {
  const { call, deployment, tokensPerSecond, isTrial } = parts
  const usual = isTrial ? fewTokens : (deployment.traits.maxOutputTokens ?? manyTokens)
  const tokens = isWritten(call) ? (boundIn(call) ?? usual) : 0
  const pace = tokensPerSecond === undefined ? usualTokensPerSecond : tokensPerSecond / patience
  return firstMs(parts) + (tokens / pace) * 1000
}

/** What sleeps until it is called has all its time: a trial is what wakes it. */
function firstMs({ deployment: { clocks }, firstTokenMs = 0, isTrial }: ShareParts): number {
  if (!isTrial || clocks.firstTokenMs > wakingMs) return clocks.firstTokenMs
  return Math.min(clocks.firstTokenMs, Math.max(trialMs, firstTokenMs * patience))
}

/** Vectors, and documents in an order, are not written token by token. */
function isWritten({ kind }: AnyCall): boolean {
  return kind === 'text' || kind === 'chat'
}

function boundIn({ body }: AnyCall): number | undefined {
  const { max_completion_tokens: most, max_tokens: older } = body.value
  const bound = nearest(most ?? older)
  return typeof bound === 'number' && bound > 0 ? bound : undefined
}

/** As long an answer as any, where nobody bounds it. */
const manyTokens = 8192
/** As long as most, where it is tried whether there is an answer at all. */
const fewTokens = 512

const trialMs = 5000
/** A first-token clock longer than this expects a machine to start. */
const wakingMs = 60_000

/** Slower than nearly any upstream, where none was measured; and how much slower than it was one may be. */
const usualTokensPerSecond = 15
const patience = 4
