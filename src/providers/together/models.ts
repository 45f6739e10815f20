import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamModel } from '../../core/model/ports.ts'
import { type Price, roundedNanoUsd, unknownPrice } from '../../core/model/price.ts'
import { readModels } from '../openai/models.ts'

/**
 * Together's list of models, a bare array with prices in USD per million tokens. It includes models that cannot be
 * called, and other types of models. Throws `invalid_response` for anything else.
 */
export function readTogetherModels(answer: unknown): readonly UpstreamModel[] {
  const models = readModels(answer, (row) => (isOther(row) ? unknownPrice : priceOf(row)))
  const others = new Set(rowsIn(answer).flatMap((row) => (isOther(row) ? [row['id']] : [])))
  return models.map((model) => (others.has(model.id) ? { ...model, isOther: true } : model))
}

/** Types that are billed by the token; a model of another type may have a price per minute or image. */
const types = new Set<unknown>(['chat', 'language', 'code', 'moderation', 'embedding', 'rerank'])

function isOther({ type }: JsonObject): boolean {
  return typeof type === 'string' && !types.has(type)
}

function rowsIn(answer: unknown): readonly JsonObject[] {
  const rows: unknown = isObject(answer) ? answer['data'] : answer
  return Array.isArray(rows) ? rows.filter(isObject) : []
}

/**
 * A model without a price per token is listed as 0 and 0: it runs on one's own endpoint, or is billed by the image. It
 * is not free, so its price is unknown.
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
