import type { JsonObject } from '../../core/model/json.ts'
import type { Price, PriceOrigin } from '../../core/model/price.ts'

/** A price as answers tell it, in whole nano-USD. What is not known is null. */
export function priceBody(price: Price): JsonObject {
  return {
    input_nano_usd_per_million: price.inputNanoUsdPerMillion ?? null,
    cached_input_nano_usd_per_million: price.cachedInputNanoUsdPerMillion ?? null,
    output_nano_usd_per_million: price.outputNanoUsdPerMillion ?? null,
    nano_usd_per_second: price.nanoUsdPerSecond ?? null,
    nano_usd_per_request: price.nanoUsdPerRequest ?? null,
  }
}

/**
 * The same with where it comes from, and the day, in UTC, from which it is known to hold; null where no price is known.
 */
export function knownPriceBody(price: Price, origin: PriceOrigin | undefined): JsonObject | null {
  if (Object.values(price).every((amount) => amount === undefined)) return null
  const { source = null, sinceEpochMs, saidBy = null, isFirm = null } = origin ?? {}
  return {
    ...priceBody(price),
    source,
    since: sinceEpochMs === undefined ? null : new Date(sinceEpochMs).toISOString().slice(0, 10),
    said_by: saidBy,
    firm: isFirm,
  }
}
