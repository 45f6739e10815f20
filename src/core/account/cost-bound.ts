import type { AnyCall } from '../model/call.ts'
import type { Deployment } from '../model/ports.ts'
import { costNanoUsd } from '../model/price.ts'
import { promptSizeOf } from './prompt-size.ts'

/** How much of what a call may use at most. */
export type UseBound = {
  /** Of all requests that it is sent as. */
  readonly promptTokens: number
  /** Of all its answers together. */
  readonly outputTokens: number
}

/** What a call costs at a deployment at most, in whole nano-USD; 0 where no price is known. */
export function boundNanoUsd({ price, clocks }: Pick<Deployment, 'price' | 'clocks'>, use: UseBound): number {
  const { promptTokens, outputTokens } = use
  const workedMs = Math.min(clocks.totalMs, timeSliceMs)
  const dearestInput = Math.max(price.inputNanoUsdPerMillion ?? 0, price.cachedInputNanoUsdPerMillion ?? 0)
  const dearest = { ...price, inputNanoUsdPerMillion: dearestInput, cachedInputNanoUsdPerMillion: undefined }
  const known =
    price.nanoUsdPerSecond === undefined && price.inputNanoUsdPerMillion === undefined ? price : dearest
  return (
    costNanoUsd(known, {
      promptTokens,
      cachedTokens: 0,
      completionTokens: outputTokens,
      workedMs,
    }) ?? 0
  )
}

/** Where time is paid for, so much of it is held at once. */
export const timeSliceMs = 30_000

/**
 * More prompt tokens than any tokenizer makes of it: none is further off than twice the estimate, and a template adds
 * some.
 */
export function promptBound(call: AnyCall): number {
  const { exactTokens, textTokens } = promptSizeOf(call)
  return exactTokens + Math.ceil(textTokens * 2) + templateTokens
}

const templateTokens = 32

/** The caller's own bound of one answer; undefined where there is none. */
export function callersBound({ body: { value: body } }: AnyCall): number | undefined {
  const bounds = [body['max_tokens'], body['max_completion_tokens']].filter(isCount)
  return bounds.length === 0 ? undefined : Math.min(...bounds)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
