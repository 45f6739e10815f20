import type { AnyCall } from '../model/call.ts'
import { nearest } from '../model/json/json.ts'
import type { Deployment } from '../model/ports.ts'

export type ShareParts = {
  readonly call: AnyCall
  readonly deployment: Deployment
  /** On the clock's monotonic milliseconds. */
  readonly now: number
  readonly deadlineAt: number
  /** Other deployments of the plan that have not failed yet. */
  readonly others: number
  /** Recent measurements there. */
  readonly tokensPerSecond: number | undefined
  readonly firstTokenMs: number | undefined
  /** A trial: it tests whether a failing deployment has recovered. */
  readonly isTrial: boolean
}

/**
 * The time by which an attempt must commit to an answer while others are left to be tried: half of the remaining time,
 * so that no attempt uses up the time of those behind it. A JSON answer gives no sign before its end: it gets the time
 * of a first token plus a few times what its tokens should take. A trial, which most likely fails, gets less. The last
 * deployment gets all that is left.
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

/** A sleeping deployment gets all its time: a trial is what wakes it. */
function firstMs({ deployment: { clocks }, firstTokenMs = 0, isTrial }: ShareParts): number {
  if (!isTrial || clocks.firstTokenMs > wakingMs) return clocks.firstTokenMs
  return Math.min(clocks.firstTokenMs, Math.max(trialMs, firstTokenMs * patience))
}

/** Embeddings and rerank results are not generated token by token. */
function isWritten({ kind }: AnyCall): boolean {
  return kind === 'text' || kind === 'chat'
}

function boundIn({ body }: AnyCall): number | undefined {
  const { max_completion_tokens: most, max_tokens: older } = body.value
  const bound = nearest(most ?? older)
  return typeof bound === 'number' && bound > 0 ? bound : undefined
}

/** A long answer, if nothing bounds it. */
const manyTokens = 8192
/** A usual answer, for a trial. */
const fewTokens = 512

const trialMs = 5000
/** A first-token clock longer than this expects a machine to start. */
const wakingMs = 60_000

/**
 * The pace assumed if none was measured, slower than nearly any upstream; and how many times slower than measured it
 * may be.
 */
const usualTokensPerSecond = 15
const patience = 4
