import type { Price } from './price.ts'

/** What a call is expected to use at one deployment. */
export type Expectation = {
  readonly promptTokens: number
  /** Of `promptTokens`, those that the upstream is expected to have seen before. */
  readonly cachedTokens: number
  readonly completionTokens: number
  /** As measured there of late; needed where time is paid for. */
  readonly firstTokenMs: number | undefined
  readonly tokensPerSecond: number | undefined
}

/**
 * What the call is expected to cost, in nano-USD: to compare by, with fractions, and not to be charged. Undefined
 * where a price that is needed is not known, or the time of work where that is what costs.
 */
export function expectedNanoUsd(price: Price, expected: Expectation): number | undefined {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output, nanoUsdPerRequest = 0 } = price
  const { promptTokens, completionTokens } = expected
  if (price.nanoUsdPerSecond !== undefined) {
    const seconds = secondsOf(expected)
    return seconds === undefined ? undefined : seconds * price.nanoUsdPerSecond + nanoUsdPerRequest
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

function secondsOf({ completionTokens, firstTokenMs, tokensPerSecond }: Expectation): number | undefined {
  if (firstTokenMs === undefined || tokensPerSecond === undefined || tokensPerSecond <= 0) return undefined
  return firstTokenMs / 1000 + completionTokens / tokensPerSecond
}
