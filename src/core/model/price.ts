/**
 * What a model costs at one place, in whole nano-USD (1e-9 USD): for a million tokens, or for a second of work.
 * What is not known is undefined, never 0: 0 is a price.
 */
export type Price = {
  readonly inputNanoUsdPerMillion: number | undefined
  /** For prompt tokens the upstream had seen before; undefined: they cost what other prompt tokens do. */
  readonly cachedInputNanoUsdPerMillion: number | undefined
  readonly outputNanoUsdPerMillion: number | undefined
  /** Where there is one, it is the whole price of the work: tokens cost nothing beside it. */
  readonly nanoUsdPerSecond: number | undefined
  /** For each request, beside what its tokens or seconds cost; undefined: there is no such charge. */
  readonly nanoUsdPerRequest?: number | undefined
  /** What long prompts cost, the longest first; what a tier leaves out is as it is without one. */
  readonly tiers?: readonly PriceTier[] | undefined
}

/** Holds for a call whose prompt has more tokens than `above`: for all of its tokens. */
export type PriceTier = Partial<
  Pick<Price, 'inputNanoUsdPerMillion' | 'cachedInputNanoUsdPerMillion' | 'outputNanoUsdPerMillion'>
> & { readonly above: number }

/** Where a price comes from: the operator, the provider's own list, or the catalogue, which ships with the gateway. */
export type PriceOrigin = {
  readonly source: 'own' | 'listed' | 'shipped'
  /** Since when it is known to hold; undefined: it always has. */
  readonly sinceEpochMs: number | undefined
  /** When somebody last read it there; undefined: it is the operator's word, which does not age. */
  readonly asOfEpochMs: number | undefined
  /** Who says so; undefined: the operator. */
  readonly saidBy: string | undefined
  /** False: hearsay, or read too long ago, or of a model that the provider does not list. */
  readonly isFirm: boolean
}

/** What a record says of where its price came from. */
export type PriceNote = Pick<PriceOrigin, 'source' | 'isFirm' | 'sinceEpochMs' | 'asOfEpochMs'>

/** A day of it, in UTC: `2026-11-29`. */
export function priceDay(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString().slice(0, 10)
}

/**
 * Whether a cost may be lower than it was counted: tokens that were seen before count as others do, where the source of
 * a price does not say what they cost. What the operator leaves out, they mean.
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

/** The amounts that a prompt of that many tokens was charged by, without those of other lengths. */
export function amountsFor(price: Price, promptTokens = 0): Price {
  if (price.tiers === undefined) return price
  const { tiers: _tiers, ...amounts } = priceFor(price, promptTokens)
  return amounts
}

/** Whether anything of it is known. */
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
 * Undefined where a price that is needed is not known: one for tokens of which none were used is not needed, but
 * of a price per token something must be known.
 */
export function costNanoUsd(price: Price, used: Consumption): number | undefined {
  const millionths = price.nanoUsdPerSecond === undefined ? forTokens(price, used) : forTime(price, used)
  if (millionths === undefined) return undefined
  return divided(millionths + exact(price.nanoUsdPerRequest ?? 0) * million, million)
}

/**
 * Decimal text of USD as whole nano-USD, after multiplying by `scale`, a power of ten: `nanoUsd('0.88')` is
 * 880000000; a price per token becomes one per million with a scale of a million. Throws RangeError for what is no
 * decimal number from 0 on, has digits below a nano-USD, or is beyond nine million USD.
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
 * The same for a number from JSON, to the nearest nano-USD: 0.25999999999999995, which somebody's arithmetic made
 * of 0.26, is 260000000. Throws RangeError for what is negative, no number, or beyond nine million USD.
 */
export function roundedNanoUsd(usd: number, scale = 1): number {
  const nano = Math.round(usd * scale * 1e9)
  if (!(usd >= 0) || !Number.isSafeInteger(nano)) throw new RangeError(`Not a price: ${usd}`)
  return nano
}

/** Whole nano-USD as decimal text of USD, every digit of it: `usdText(-1500000n)` is `-0.001500000`. */
export function usdText(nano: number | bigint): string {
  const digits = String(nano).replace('-', '').padStart(10, '0')
  return `${nano < 0 ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`
}

const million = 1_000_000n

/** In millionths of a nano-USD. */
function forTokens(listed: Price, used: Consumption): bigint | undefined {
  const price = listed.tiers === undefined ? listed : priceFor(listed, used.promptTokens)
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = price
  const promptTokens = exact(used.promptTokens)
  const completionTokens = exact(used.completionTokens)
  if (input === undefined && (promptTokens > 0n || output === undefined)) return undefined
  if (output === undefined && completionTokens > 0n) return undefined
  const claimed = exact(used.cachedTokens)
  const cachedTokens = claimed > promptTokens ? promptTokens : claimed
  const cachedInput = price.cachedInputNanoUsdPerMillion ?? input
  return (
    (promptTokens - cachedTokens) * exact(input ?? 0) +
    cachedTokens * exact(cachedInput ?? 0) +
    completionTokens * exact(output ?? 0)
  )
}

/** In millionths of a nano-USD. */
function forTime({ nanoUsdPerSecond = 0 }: Price, { workedMs }: Consumption): bigint | undefined {
  return workedMs === undefined ? undefined : exact(nanoUsdPerSecond) * exact(workedMs) * 1000n
}

function exact(value: number): bigint {
  return BigInt(Math.max(0, Math.round(value)))
}

function divided(value: bigint, by: bigint): number {
  return Number((value * 2n + by) / (by * 2n))
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
