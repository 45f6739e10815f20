import type { Pace } from '../health/observations.ts'
import { type Price, priceFor } from '../model/price.ts'

/** What a call is expected to use at one deployment. */
export type Expectation = {
  readonly promptTokens: number
  /** Of `promptTokens`, those that the upstream is expected to have seen before. */
  readonly cachedTokens: number
  readonly completionTokens: number
}

/**
 * What the call is expected to cost, in nano-USD: to compare by, with fractions, and not to be charged. Undefined
 * where a price that is needed is not known, or, where time is what costs, how long answers take there.
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

/** What a million tokens cost, and each request, in nano-USD. */
export type TokenPrices = { readonly input: number; readonly output: number; readonly request: number }

/** Those of a price that is by the token, known, and the same for long prompts as for short ones. */
export function tokenPricesOf(price: Price): TokenPrices | undefined {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = price
  if (input === undefined || output === undefined || price.nanoUsdPerSecond !== undefined) return undefined
  if (price.tiers !== undefined) return undefined
  return { input, output, request: price.nanoUsdPerRequest ?? 0 }
}

/** What `expectedNanoUsd` comes to at these, where nothing was seen before: in few steps, for there are many to do. */
export function tokensNanoUsd(
  { input, output, request }: TokenPrices,
  promptTokens: number,
  completionTokens: number,
): number {
  return (promptTokens * input + completionTokens * output) / 1_000_000 + request
}

/** Where no tokens are counted, or none are brought forth, an answer takes what answers there take. */
function secondsOf(completionTokens: number, pace: Pace): number {
  const { firstTokenMs = 0, tokensPerSecond, answerMs, workedShare } = pace
  if (tokensPerSecond === undefined || completionTokens === 0) return (answerMs / 1000) * workedShare
  return (firstTokenMs / 1000 + completionTokens / tokensPerSecond) * workedShare
}
