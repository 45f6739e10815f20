import type { FinishReason } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { reasonFor } from '../model/finish-reason.ts'
import type { Ending } from '../model/ports.ts'
import type { Kind } from '../model/terms.ts'
import type { ClaimedUsage } from '../model/usage/usage.ts'

/** The evidence that an answer without finish reasons is complete. */
export type Proofs = {
  readonly ending: Ending | undefined
  readonly usage: ClaimedUsage | undefined
  /** The usage arrived on its own, after all content. */
  readonly isUsageLast: boolean
  /** The requested bound of tokens per choice. */
  readonly mostTokens: number | undefined
  readonly choices: number
}

/** A choice without a known finish reason. */
export type OpenChoice = {
  readonly kind: Kind
  /** It contained something that a caller would miss: text, a refusal, a call. */
  readonly hasContent: boolean
  readonly usesTools: boolean
  /** No arguments of a call are cut off. */
  readonly isParsed: boolean
  /** The unknown finish reason. */
  readonly unknown: string | undefined
}

/**
 * The finish reason of such a choice, if the answer is proven to be complete: a JSON value with its usage, or a stream
 * that ended with its usage and its terminator. At the requested bound it is `length`, else `stop` or `tool_calls`.
 * Throws `invalid_response` for an unknown reason without the proofs, `interrupted` for none.
 */
export function reasonOf(choice: OpenChoice, proofs: Proofs): FinishReason {
  const { kind, usesTools, hasContent, isParsed } = choice
  if (isProven(proofs)) {
    if (isFull(proofs)) return 'length'
    if (hasContent && isParsed) return reasonFor('stop', kind, usesTools)
  }
  throw unproven(choice)
}

function isProven({ ending, usage, isUsageLast }: Proofs): boolean {
  if (usage?.promptTokens === undefined || usage.completionTokens === undefined) return false
  return ending === 'value' || (ending === 'terminator' && isUsageLast)
}

function isFull({ usage, mostTokens, choices }: Proofs): boolean {
  if (mostTokens === undefined || usage?.completionTokens === undefined) return false
  return mostTokens > 0 && usage.completionTokens >= mostTokens * choices
}

function unproven({ unknown }: OpenChoice): Failure {
  if (unknown === undefined) {
    const message = 'The upstream ended the answer before it was complete: it gave no finish_reason.'
    return new Failure('interrupted', message)
  }
  const message =
    'The upstream ended the answer with an unknown finish_reason, without proof that it is complete.'
  return new Failure('invalid_response', message)
}
