/**
 * What a model costs at one place, in whole nano-USD (1e-9 USD): for a million tokens, or for a second of work.
 * What is not known is undefined, never 0: 0 is a price.
 */
export type Price = {
  readonly inputNanoUsdPerMillion: number | undefined
  /** For prompt tokens the upstream had seen before; undefined: they cost what other prompt tokens do. */
  readonly cachedInputNanoUsdPerMillion: number | undefined
  readonly outputNanoUsdPerMillion: number | undefined
  readonly nanoUsdPerSecond: number | undefined
}

/** Nothing is known of what it costs. */
export const unknownPrice: Price = {
  inputNanoUsdPerMillion: undefined,
  cachedInputNanoUsdPerMillion: undefined,
  outputNanoUsdPerMillion: undefined,
  nanoUsdPerSecond: undefined,
}

/** What was used in one attempt. */
export type Consumption = {
  readonly promptTokens: number
  /** Of `promptTokens`, those the upstream had seen before. */
  readonly cachedTokens: number
  readonly completionTokens: number
  /** How long the upstream worked, in milliseconds; undefined where it is not known. */
  readonly workedMs: number | undefined
}

/**
 * What it costs, in whole nano-USD: the parts are summed exactly and rounded once, half a nano-USD upwards.
 * Undefined where a price that is needed is not known.
 */
export function costNanoUsd(price: Price, used: Consumption): number | undefined {
  const { nanoUsdPerSecond, inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = price
  if (nanoUsdPerSecond !== undefined) {
    if (used.workedMs === undefined) return undefined
    return divided(exact(nanoUsdPerSecond) * exact(Math.round(used.workedMs)), 1000n)
  }
  if (input === undefined || output === undefined) return undefined
  const cachedInput = price.cachedInputNanoUsdPerMillion ?? input
  const parts =
    exact(used.promptTokens - used.cachedTokens) * exact(input) +
    exact(used.cachedTokens) * exact(cachedInput) +
    exact(used.completionTokens) * exact(output)
  return divided(parts, 1_000_000n)
}

/**
 * Decimal text of USD as whole nano-USD, after multiplying by `scale`, a power of ten: `nanoUsd('0.88')` is
 * 880000000; a price per token becomes one per million with a scale of a million. Throws RangeError for what is no
 * decimal number from 0 on, or has digits below a nano-USD.
 */
export function nanoUsd(usd: string, scale = 1): number {
  const [, whole, fraction = '', exponent = '0'] =
    /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(usd) ?? []
  if (whole === undefined) throw new RangeError(`Not a decimal number: ${usd.slice(0, 40)}`)
  const shift = 9 + Math.round(Math.log10(scale)) + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  if (shift >= 0) return Number(digits * 10n ** BigInt(shift))
  const unit = 10n ** BigInt(-shift)
  if (digits % unit !== 0n) throw new RangeError(`Finer than a nano-USD: ${usd.slice(0, 40)}`)
  return Number(digits / unit)
}

function exact(value: number): bigint {
  return BigInt(Math.max(0, Math.round(value)))
}

function divided(value: bigint, by: bigint): number {
  return Number((value * 2n + by) / (by * 2n))
}
