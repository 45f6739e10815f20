import { nanoUsd, type Price, type PriceTier, roundedNanoUsd, unknownPrice } from '../core/model/price.ts'

/** A price in a source's form; absent amounts are unknown. */
export type ListedPrice = TokenPrice | TimePrice

/** An amount of USD: decimal text is exact, a JSON number is rounded to the nearest nano-USD. */
export type Amount = string | number

export type TokenPrice = {
  readonly unit: keyof typeof tokenUnits
  readonly input?: Amount | undefined
  /** For cached prompt tokens. */
  readonly cachedInput?: Amount | undefined
  readonly output?: Amount | undefined
  /** USD per request, whatever the unit of the tokens. */
  readonly request?: Amount | undefined
  readonly tiers?: readonly TokenTier[] | undefined
}

/** For prompts with more tokens than `above`. */
export type TokenTier = Pick<TokenPrice, 'input' | 'cachedInput' | 'output'> & { readonly above: number }

export type TimePrice = {
  readonly unit: keyof typeof timeUnits
  readonly work: Amount
  readonly request?: Amount | undefined
}

/**
 * A listed price in whole nano-USD. Decimal text below a nano-USD throws RangeError, except for a price per hour, which
 * is rounded to nano-USD per second.
 */
export function priceOf(listed: ListedPrice): Price {
  const request = amountOf(listed.request, 1)
  const perRequest = request === undefined ? {} : { nanoUsdPerRequest: request }
  if ('work' in listed) {
    const work = amountOf(listed.work, 1) ?? 0
    return { ...unknownPrice, nanoUsdPerSecond: Math.round(work / timeUnits[listed.unit]), ...perRequest }
  }
  const scale = tokenUnits[listed.unit]
  return {
    inputNanoUsdPerMillion: amountOf(listed.input, scale),
    cachedInputNanoUsdPerMillion: amountOf(listed.cachedInput, scale),
    outputNanoUsdPerMillion: amountOf(listed.output, scale),
    nanoUsdPerSecond: undefined,
    ...perRequest,
    ...(listed.tiers === undefined ? {} : { tiers: tiersOf(listed.tiers, scale) }),
  }
}

/** The tier for the longest prompts first. */
function tiersOf(tiers: readonly TokenTier[], scale: number): readonly PriceTier[] {
  return tiers
    .toSorted((one, other) => other.above - one.above)
    .map(({ above, input, cachedInput, output }) => {
      const amounts = {
        inputNanoUsdPerMillion: amountOf(input, scale),
        cachedInputNanoUsdPerMillion: amountOf(cachedInput, scale),
        outputNanoUsdPerMillion: amountOf(output, scale),
      }
      const known = Object.entries(amounts).filter(([, amount]) => amount !== undefined)
      return { above, ...Object.fromEntries(known) }
    })
}

/** The factor to a price per million tokens. */
const tokenUnits = {
  usd_per_million_tokens: 1,
  usd_per_thousand_tokens: 1000,
  usd_per_token: 1_000_000,
} as const

/** The seconds that it pays for. */
const timeUnits = { usd_per_second: 1, usd_per_hour: 3600 } as const

function amountOf(amount: Amount | undefined, scale: number): number | undefined {
  if (amount === undefined) return undefined
  return typeof amount === 'string' ? nanoUsd(amount, scale) : roundedNanoUsd(amount, scale)
}
