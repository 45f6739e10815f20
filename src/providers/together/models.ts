import { isObject, type JsonObject } from '../../core/model/json.ts'
import type { UpstreamModel } from '../../core/model/ports.ts'
import { type Price, roundedNanoUsd, unknownPrice } from '../../core/model/price.ts'
import { readModels } from '../openai/models.ts'

/**
 * Together's list of models, a bare array with prices in USD per million tokens. It also lists what cannot be
 * called. Throws `invalid_response` for what is no list.
 */
export function readTogetherModels(answer: unknown): readonly UpstreamModel[] {
  return readModels(answer, priceOf)
}

/**
 * A model with no price per token is listed as 0 and 0: one that runs on an endpoint of one's own, one that is paid
 * by the image. It is not free, so what it costs is not known.
 */
function priceOf({ pricing }: JsonObject): Price {
  if (!isObject(pricing)) return unknownPrice
  const input = nano(pricing['input'])
  const output = nano(pricing['output'])
  if (!input && !output) return unknownPrice
  return {
    ...unknownPrice,
    inputNanoUsdPerMillion: input,
    outputNanoUsdPerMillion: output,
    cachedInputNanoUsdPerMillion: nano(pricing['cached_input']),
  }
}

/** To the nearest nano-USD: 0.26 is listed as 0.25999999999999995. */
function nano(usdPerMillion: unknown): number | undefined {
  if (typeof usdPerMillion !== 'number') return undefined
  try {
    return roundedNanoUsd(usdPerMillion)
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}
