import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamModel } from '../../core/model/ports.ts'
import { type Price, roundedNanoUsd, unknownPrice } from '../../core/model/price.ts'
import { readModels } from '../openai/models.ts'

/**
 * Together's list of models, a bare array with prices in USD per million tokens. It also lists what cannot be
 * called, and models of other types than calls here are for. Throws `invalid_response` for what is no list.
 */
export function readTogetherModels(answer: unknown): readonly UpstreamModel[] {
  const models = readModels(answer, (row) => (isOther(row) ? unknownPrice : priceOf(row)))
  const others = new Set(rowsIn(answer).flatMap((row) => (isOther(row) ? [row['id']] : [])))
  return models.map((model) => (others.has(model.id) ? { ...model, isOther: true } : model))
}

/** What is paid by the token; a model of another type may have a price all the same, for a minute or an image. */
const types = new Set<unknown>(['chat', 'language', 'code', 'moderation', 'embedding', 'rerank'])

function isOther({ type }: JsonObject): boolean {
  return typeof type === 'string' && !types.has(type)
}

function rowsIn(answer: unknown): readonly JsonObject[] {
  const rows: unknown = isObject(answer) ? answer['data'] : answer
  return Array.isArray(rows) ? rows.filter(isObject) : []
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
