import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamModel } from '../../core/model/ports.ts'
import { nanoUsd, type Price, roundedNanoUsd, unknownPrice } from '../../core/model/price.ts'
import { abilitiesIn, isOtherThanWords } from './abilities.ts'

/**
 * The models of an answer to GET /models: `{"data": [...]}`, or the bare list. What a row does not say in a way
 * that is known stays unknown. Throws `invalid_response` for what is no list.
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
        ...(isOtherThanWords(row) ? { isOther: true } : {}),
      },
    ]
  })
}

/**
 * The price in a row that has it as OpenRouter does: `pricing`, in decimal text of USD per token and per request. An
 * amount that is not fixed (-1) is not known, and without what each request costs nothing is.
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

/** The names it has at vLLM and SGLang, at OpenRouter and Fireworks, at Groq, at Mistral. */
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
