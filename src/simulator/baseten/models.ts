import { nanoUsd, type Price, unknownPrice } from '../../core/model/price.ts'

/** A model of Model APIs: its row in the list, and its engine. */
export type BasetenModel = {
  readonly id: string
  readonly contextTokens: number
  /** USD per token, as decimal text in the list. */
  readonly input: string
  readonly output: string
  readonly cachedInput?: string
  readonly engine: BasetenEngine
}

/**
 * The engines, which differ on one host. `a` wraps its errors in `error`, `b` does not. `b-early` is like `b`, but ends
 * a stream with the finish reason, without usage and `[DONE]`.
 */
export type BasetenEngine = 'a' | 'b' | 'b-early'

/** A part of Baseten's list of August 2026. Only the engines of the first two models are known. */
export const basetenModels: readonly BasetenModel[] = [
  {
    ...{ id: 'openai/gpt-oss-120b', contextTokens: 128_072, engine: 'a' },
    ...{ input: '0.0000001', output: '0.0000005', cachedInput: '0.0000001' },
  },
  {
    ...{ id: 'zai-org/GLM-5.2', contextTokens: 1_048_576, engine: 'b-early' },
    ...{ input: '0.0000014', output: '0.0000044', cachedInput: '0.00000014' },
  },
  {
    ...{ id: 'moonshotai/Kimi-K3', contextTokens: 1_048_576, engine: 'a' },
    ...{ input: '0.000003', output: '0.000015', cachedInput: '0.0000003' },
  },
  {
    ...{ id: 'deepseek-ai/DeepSeek-V4-Pro', contextTokens: 262_144, engine: 'b' },
    ...{ input: '0.00000174', output: '0.00000348', cachedInput: '0.000000145' },
  },
]

/** The engine of a model that is not listed, by its maker. */
export function engineOf(id: string): BasetenEngine {
  return engines.get(id.slice(0, id.indexOf('/'))) ?? 'a'
}

/** A row of `GET /v1/models`. */
export function listedRow({ id, contextTokens, input, output, cachedInput }: BasetenModel): object {
  const cached = cachedInput === undefined ? {} : { input_cache_read: cachedInput }
  return {
    ...{ id, created: 0, object: 'model', owned_by: 'baseten', name: id, description: '' },
    ...{ context_length: contextTokens, max_completion_tokens: contextTokens, quantization: 'fp4' },
    pricing: { prompt: input, completion: output, image: '0', request: '0', ...cached },
    ...{ supported_sampling_parameters: ['temperature', 'stop'], supported_features: ['tools'] },
    ...{ input_modalities: ['text'], output_modalities: ['text'] },
  }
}

/** The prices for the bill. */
export function priceOf({ input, output, cachedInput }: BasetenModel): Price {
  return {
    ...unknownPrice,
    inputNanoUsdPerMillion: nanoUsd(input, 1_000_000),
    outputNanoUsdPerMillion: nanoUsd(output, 1_000_000),
    cachedInputNanoUsdPerMillion: cachedInput === undefined ? undefined : nanoUsd(cachedInput, 1_000_000),
  }
}

const engines: ReadonlyMap<string, BasetenEngine> = new Map([
  ['zai-org', 'b-early'],
  ['deepseek-ai', 'b'],
])
