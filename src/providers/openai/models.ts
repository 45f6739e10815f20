import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamModel } from '../../core/model/ports.ts'
import { nanoUsd, type Price, roundedNanoUsd, unknownPrice } from '../../core/model/price.ts'
import { abilitiesIn, hasUnusableOutput } from './abilities.ts'

/**
 * The models in an answer to GET /models: `{"data": [...]}`, or a bare list. Values that are not recognised are
 * unknown. Throws `invalid_response` for anything but a list.
 */
export function readModels(
  answer: unknown,
  priceOf: (row: JsonObject) => Price = () => unknownPrice,
): readonly UpstreamModel[] {
  const rows: unknown = isObject(answer) ? answer['data'] : answer
  if (!Array.isArray(rows)) throw new Failure('invalid_response', 'The upstream did not list its models.')
  return rows.filter(isObject).flatMap((row) => {
    const { id } = row
    if (typeof id !== 'string' || id === '') return []
    const traits = abilitiesIn(row)
    return [
      {
        ...{ id, contextTokens: contextTokens(row), price: priceOf(row) },
        ...(Object.keys(traits).length === 0 ? {} : { traits }),
        ...(hasUnusableOutput(row) ? { isOther: true } : {}),
      },
    ]
  })
}

/**
 * The price in a row in OpenRouter's format: `pricing`, in USD per token and per request, as decimal text. A variable
 * amount (-1) is unknown. If the amount per request is unknown, the whole price is.
 */
export function pricePerToken({ pricing }: JsonObject): Price {
  if (!isObject(pricing)) return unknownPrice
  const { prompt, completion, request, input_cache_read } = pricing
  const nanoUsdPerRequest = amount(request ?? '0', 1)
  if (nanoUsdPerRequest === undefined) return unknownPrice
  return {
    inputNanoUsdPerMillion: amount(prompt, 1_000_000),
    cachedInputNanoUsdPerMillion: amount(input_cache_read, 1_000_000),
    outputNanoUsdPerMillion: amount(completion, 1_000_000),
    nanoUsdPerSecond: undefined,
    ...(nanoUsdPerRequest === 0 ? {} : { nanoUsdPerRequest }),
  }
}

/** The field of vLLM and SGLang; of OpenRouter and Fireworks; of Groq; of Mistral. */
const contextFields = ['max_model_len', 'context_length', 'context_window', 'max_context_length']

function contextTokens(row: JsonObject): number | undefined {
  return contextFields.map((field) => row[field]).find(isCount)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function amount(usd: unknown, scale: number): number | undefined {
  if (typeof usd !== 'string' && typeof usd !== 'number') return undefined
  try {
    return typeof usd === 'number' ? roundedNanoUsd(usd, scale) : nanoUsd(usd, scale)
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}
