import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamModel } from '../../core/model/ports.ts'
import { type Price, roundedNanoUsd, unknownPrice } from '../../core/model/price.ts'
import { readModels } from '../openai/models.ts'

/**
 * Together's list of models: a bare array with prices in USD per million tokens. It includes other types of models,
 * such as image models. Throws `invalid_response` for anything else.
 */
export function readTogetherModels(answer: unknown): readonly UpstreamModel[] {
  const models = readModels(answer, (row) => (isOther(row) ? unknownPrice : priceOf(row)))
  const others = new Set(rowsIn(answer).flatMap((row) => (isOther(row) ? [row['id']] : [])))
  return models.map((model) => (others.has(model.id) ? { ...model, isOther: true } : model))
}

/** Types that are billed by the token. Models of other types may have a price per minute or image. */
const types = new Set<unknown>(['chat', 'language', 'code', 'moderation', 'embedding', 'rerank'])

function isOther({ type }: JsonObject): boolean {
  return typeof type === 'string' && !types.has(type)
}

function rowsIn(answer: unknown): readonly JsonObject[] {
  const rows: unknown = isObject(answer) ? answer['data'] : answer
  return Array.isArray(rows) ? rows.filter(isObject) : []
}

/**
 * A model without a price per token is listed with 0 for input and output: it runs on a dedicated endpoint, or is
 * billed by the image. It is not free, so its price is unknown.
 */
function priceOf({ pricing }: JsonObject): Price {
  if (!isObject(pricing)) return unknownPrice
  const input = nanoUsdOf(pricing['input'])
  const output = nanoUsdOf(pricing['output'])
  if (!input && !output) return unknownPrice
  return {
    ...unknownPrice,
    inputNanoUsdPerMillion: input,
    outputNanoUsdPerMillion: output,
    cachedInputNanoUsdPerMillion: nanoUsdOf(pricing['cached_input']),
  }
}

/** Rounds to the nearest nano-USD, because 0.26 is listed as 0.25999999999999995. */
function nanoUsdOf(usdPerMillion: unknown): number | undefined {
  if (typeof usdPerMillion !== 'number') return undefined
  try {
    return roundedNanoUsd(usdPerMillion)
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}
