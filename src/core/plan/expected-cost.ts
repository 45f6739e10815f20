import type { Pace } from '../health/observations.ts'
import { type Price, priceFor } from '../model/price.ts'

/** What a call is expected to use at one deployment. */
export type Expectation = {
  readonly promptTokens: number
  /** The part of `promptTokens` that the upstream is expected to have cached. */
  readonly cachedTokens: number
  readonly completionTokens: number
}

/**
 * The expected cost of the call in fractional nano-USD: for comparison, not for billing. Undefined if a price that is
 * needed is unknown or, where time is billed, if it is unknown how long answers take there.
 */
export function expectedNanoUsd(
  listed: Price,
  expected: Expectation,
  pace: Pace | undefined,
): number | undefined {
  const { promptTokens, completionTokens } = expected
  const price = priceFor(listed, promptTokens)
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output, nanoUsdPerRequest = 0 } = price
  if (price.nanoUsdPerSecond !== undefined) {
    if (pace === undefined) return undefined
    return secondsOf(completionTokens, pace) * price.nanoUsdPerSecond + nanoUsdPerRequest
  }
  if (input === undefined && (promptTokens > 0 || output === undefined)) return undefined
  if (output === undefined && completionTokens > 0) return undefined
  const cachedTokens = Math.min(expected.cachedTokens, promptTokens)
  const cachedInput = price.cachedInputNanoUsdPerMillion ?? input ?? 0
  const millionths =
    (promptTokens - cachedTokens) * (input ?? 0) +
    cachedTokens * cachedInput +
    completionTokens * (output ?? 0)
  return millionths / 1_000_000 + nanoUsdPerRequest
}

/** Nano-USD per million tokens, and per request. */
export type TokenPrices = { readonly input: number; readonly output: number; readonly request: number }

/** The rates of a known per-token price that does not depend on the length of the prompt. */
export function tokenPricesOf(price: Price): TokenPrices | undefined {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = price
  if (input === undefined || output === undefined || price.nanoUsdPerSecond !== undefined) return undefined
  if (price.tiers !== undefined) return undefined
  return { input, output, request: price.nanoUsdPerRequest ?? 0 }
}

/**
 * What `expectedNanoUsd` gives at these rates without cached input. Written in few steps: it runs for every candidate.
 */
export function tokensNanoUsd(
  { input, output, request }: TokenPrices,
  promptTokens: number,
  completionTokens: number,
): number {
  return (promptTokens * input + completionTokens * output) / 1_000_000 + request
}

/** Without token counts, or for calls that generate none, an answer takes the usual time of answers there. */
function secondsOf(completionTokens: number, pace: Pace): number {
  const { firstTokenMs = 0, tokensPerSecond, answerMs, workedShare } = pace
  if (tokensPerSecond === undefined || completionTokens === 0) return (answerMs / 1000) * workedShare
  return (firstTokenMs / 1000 + completionTokens / tokensPerSecond) * workedShare
}
