import type { JsonObject } from '../../core/model/json/json.ts'
import type { Presence } from '../../core/model/ports.ts'
import { isKnownPrice, type Price, type PriceOrigin, priceDay } from '../../core/model/price.ts'

/** The body of a price, in whole nano-USD. Unknown amounts are null. */
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
 * The same with its source, the UTC day since which it is known to apply, and the day on which it was last read. Null
 * if no price is known.
 */
export function knownPriceBody(price: Price, origin: PriceOrigin | undefined): JsonObject | null {
  if (!isKnownPrice(price)) return null
  return { ...priceBody(price), ...originBody(origin) }
}

/** The body of a price's source, without the price. */
export function originBody({
  source,
  sinceEpochMs,
  asOfEpochMs,
  sourceName,
  isFirm,
}: Partial<PriceOrigin> = {}) {
  return {
    source: source ?? null,
    since: priceDay(sinceEpochMs) ?? null,
    as_of: priceDay(asOfEpochMs) ?? null,
    said_by: sourceName ?? null,
    firm: isFirm ?? null,
  }
}

/** Whether the provider has the model; null if unknown. */
export function presenceBody(presence: Presence | undefined): JsonObject | null {
  if (presence === undefined) return null
  const { state, sinceEpochMs, successor } = presence
  return { state, since: priceDay(sinceEpochMs) ?? null, successor: successor ?? null }
}
