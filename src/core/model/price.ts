/**
 * The price of a model at one place, in whole nano-USD (1e-9 USD): per million tokens, or per second of work. Unknown
 * amounts are undefined, never 0: 0 is a price.
 */
export type Price = {
  readonly inputNanoUsdPerMillion: number | undefined
  /** For prompt tokens that the upstream had cached; undefined: the same as other prompt tokens. */
  readonly cachedInputNanoUsdPerMillion: number | undefined
  readonly outputNanoUsdPerMillion: number | undefined
  /** If set, it is the whole price: tokens cost nothing extra. */
  readonly nanoUsdPerSecond: number | undefined
  /** Per request, in addition to tokens or seconds; undefined: there is no such charge. */
  readonly nanoUsdPerRequest?: number | undefined
  /** Tiers for long prompts, the longest first. Amounts that a tier leaves out are the base price's. */
  readonly tiers?: readonly PriceTier[] | undefined
}

/** Applies to all tokens of a call whose prompt has more than `above` tokens. */
export type PriceTier = Partial<
  Pick<Price, 'inputNanoUsdPerMillion' | 'cachedInputNanoUsdPerMillion' | 'outputNanoUsdPerMillion'>
> & { readonly above: number }

/** The source of a price: the operator, the provider's own list, or the catalogue shipped with the gateway. */
export type PriceOrigin = {
  readonly source: 'own' | 'listed' | 'shipped'
  /** Since when it is known to apply; undefined: always. */
  readonly sinceEpochMs: number | undefined
  /** When it was last read there; undefined: the operator's own price, which does not age. */
  readonly asOfEpochMs: number | undefined
  /** The source's name; undefined: the operator. */
  readonly sourceName: string | undefined
  /** False: from a third party, read too long ago, or for a model that the provider no longer lists. */
  readonly isFirm: boolean
}

/** What a record keeps of a price's source. */
export type PriceNote = Pick<PriceOrigin, 'source' | 'isFirm' | 'sinceEpochMs' | 'asOfEpochMs'>

/** A day in UTC: `2026-11-29`. */
export function priceDay(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString().slice(0, 10)
}

/**
 * Whether the true cost may be lower: cached tokens count as uncached if the price's source does not give their price.
 * The operator's omission counts as intended.
 */
export function isUpperBound(
  price: Price,
  used: Consumption | undefined,
  note: PriceNote | undefined,
): boolean {
  if (used === undefined || used.cachedTokens === 0 || note === undefined || note.source === 'own')
    return false
  const { inputNanoUsdPerMillion: input = 0, cachedInputNanoUsdPerMillion: cachedInput } = price
  return price.nanoUsdPerSecond === undefined && cachedInput === undefined && input > 0
}

/** The amounts that a prompt of that many tokens was charged by, without other tiers. */
export function amountsFor(price: Price, promptTokens = 0): Price {
  if (price.tiers === undefined) return price
  const { tiers: _tiers, ...amounts } = priceFor(price, promptTokens)
  return amounts
}

/** Whether any amount is known. */
export function isKnownPrice({ tiers: _tiers, ...amounts }: Price): boolean {
  return Object.values(amounts).some((amount) => amount !== undefined)
}

/** The price for a prompt of that many tokens. */
export function priceFor(price: Price, promptTokens: number): Price {
  const tier = price.tiers?.find(({ above }) => promptTokens > above)
  if (tier === undefined) return price
  const { above: _above, ...amounts } = tier
  return { ...price, ...amounts }
}

/** An unknown price. */
export const unknownPrice: Price = {
  inputNanoUsdPerMillion: undefined,
  cachedInputNanoUsdPerMillion: undefined,
  outputNanoUsdPerMillion: undefined,
  nanoUsdPerSecond: undefined,
}

/** The usage of one attempt. */
export type Consumption = {
  readonly promptTokens: number
  /** The part of `promptTokens` that the upstream had cached. */
  readonly cachedTokens: number
  readonly completionTokens: number
  /** How long the upstream worked, in milliseconds; undefined if unknown. */
  readonly workedMs: number | undefined
}

/**
 * The cost in whole nano-USD: summed exactly and rounded once, half up. Undefined if a needed price is unknown: a price
 * for tokens is not needed if none were used, but at least one per-token price must be known.
 */
export function costNanoUsd(price: Price, used: Consumption): number | undefined {
  return price.nanoUsdPerSecond === undefined ? tokenCost(price, used) : timeCost(price, used)
}

/**
 * Parses decimal USD text to whole nano-USD, multiplied by `scale`, a power of ten: `nanoUsd('0.88')` is 880000000;
 * with a scale of a million a price per token becomes one per million. Throws RangeError for anything but a decimal
 * number from 0 on, for digits below a nano-USD, and beyond nine million USD.
 */
export function nanoUsd(usd: string, scale = 1): number {
  const [, whole, fraction = '', exponent = '0'] =
    /^(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(usd) ?? []
  if (whole === undefined) throw new RangeError(`Not a decimal number: ${usd.slice(0, 40)}`)
  const digits = BigInt(whole + fraction)
  const shift = 9 + Math.round(Math.log10(scale)) + Number(exponent) - fraction.length
  return counted(shift >= 0 ? digits * 10n ** BigInt(shift) : cut(digits, -shift, usd), usd)
}

/**
 * The same for a JSON number, rounded to the nearest nano-USD: 0.25999999999999995, a result of floating-point
 * arithmetic on 0.26, is 260000000. Throws RangeError if it is negative, no number, or beyond nine million USD.
 */
export function roundedNanoUsd(usd: number, scale = 1): number {
  const nano = Math.round(usd * scale * 1e9)
  if (!(usd >= 0) || !Number.isSafeInteger(nano)) throw new RangeError(`Not a price: ${usd}`)
  return nano
}

/** Whole nano-USD as decimal USD text with every digit: `usdText(-1500000n)` is `-0.001500000`. */
export function usdText(nano: number | bigint): string {
  const digits = String(nano).replace('-', '').padStart(10, '0')
  return `${nano < 0 ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`
}

const million = 1_000_000

function tokenCost(listed: Price, used: Consumption): number | undefined {
  const price = listed.tiers === undefined ? listed : priceFor(listed, used.promptTokens)
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = price
  const promptTokens = whole(used.promptTokens)
  const completionTokens = whole(used.completionTokens)
  if (input === undefined && (promptTokens > 0 || output === undefined)) return undefined
  if (output === undefined && completionTokens > 0) return undefined
  const cachedTokens = Math.min(whole(used.cachedTokens), promptTokens)
  const cachedInput = whole(price.cachedInputNanoUsdPerMillion ?? input)
  const fresh = promptTokens - cachedTokens
  const perRequest = whole(listed.nanoUsdPerRequest)
  return rounded(fresh, whole(input), cachedTokens, cachedInput, completionTokens, whole(output), perRequest)
}

function timeCost(price: Price, { workedMs }: Consumption): number | undefined {
  if (workedMs === undefined) return undefined
  const microseconds = whole(workedMs) * 1000
  return rounded(microseconds, whole(price.nanoUsdPerSecond), 0, 0, 0, 0, whole(price.nanoUsdPerRequest))
}

function whole(value = 0): number {
  return Math.max(0, Math.round(value))
}

/**
 * Three products in millionths of a nano-USD and a whole amount, summed and rounded half up. The sums of nearly all
 * calls fit a double exactly; BigInts would take 1 KB per call.
 */
function rounded(
  count: number,
  each: number,
  secondCount: number,
  secondEach: number,
  thirdCount: number,
  thirdEach: number,
  nanoUsd: number,
): number {
  const sum =
    count * each + secondCount * secondEach + thirdCount * thirdEach + nanoUsd * million + million / 2
  if (Number.isSafeInteger(sum)) return (sum - (sum % million)) / million
  const products = BigInt(count) * BigInt(each) + BigInt(secondCount) * BigInt(secondEach)
  const all = products + BigInt(thirdCount) * BigInt(thirdEach) + BigInt(nanoUsd) * BigInt(million)
  return Number((all + BigInt(million / 2)) / BigInt(million))
}

function cut(digits: bigint, places: number, usd: string): bigint {
  const unit = 10n ** BigInt(places)
  if (digits % unit !== 0n) throw new RangeError(`Finer than a nano-USD: ${usd.slice(0, 40)}`)
  return digits / unit
}

function counted(nano: bigint, usd: string): number {
  if (nano > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`Too large a price: ${usd.slice(0, 40)}`)
  return Number(nano)
}
