import type { AnyCall } from '../model/call.ts'
import type { Deployment } from '../model/ports.ts'
import { costNanoUsd } from '../model/price.ts'
import { promptSizeOf } from './prompt-size.ts'

/** The most that a call may use. */
export type UseBound = {
  /** Over all upstream requests of the call. */
  readonly promptTokens: number
  /** Over all its answers. */
  readonly outputTokens: number
}

/** The most that a call can cost at a deployment, in whole nano-USD; 0 if no price is known. */
export function boundNanoUsd({ price, clocks }: Pick<Deployment, 'price' | 'clocks'>, use: UseBound): number {
  const { promptTokens, outputTokens } = use
  const workedMs = Math.min(clocks.totalMs, timeSliceMs)
  const { inputNanoUsdPerMillion: input, cachedInputNanoUsdPerMillion: cachedInput } = price
  const isCachedDearer = input !== undefined && cachedInput !== undefined && cachedInput > input
  return (
    costNanoUsd(isCachedDearer ? { ...price, inputNanoUsdPerMillion: cachedInput } : price, {
      promptTokens,
      cachedTokens: 0,
      completionTokens: outputTokens,
      workedMs,
    }) ?? 0
  )
}

/** With billing by time, this much is held at once. */
export const timeSliceMs = 30_000

/** An upper bound of the prompt tokens: no tokenizer counts more than twice the estimate, and a template adds some. */
export function promptBound(call: AnyCall): number {
  const { exactTokens, textTokens } = promptSizeOf(call)
  return exactTokens + Math.ceil(textTokens * 2) + templateTokens
}

const templateTokens = 32

/** The caller's own bound for one answer; undefined if there is none. */
export function callersBound({ body: { value: body } }: AnyCall): number | undefined {
  const bounds = [body['max_tokens'], body['max_completion_tokens']].filter(isCount)
  return bounds.length === 0 ? undefined : Math.min(...bounds)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
