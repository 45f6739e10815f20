import { type Price, unknownPrice } from '../../core/model/price.ts'

/** A model in Together's list, with its behaviour when it is called. */
export type TogetherModel = {
  readonly id: string
  readonly type: 'chat' | 'language' | 'embedding' | 'rerank'
  readonly contextTokens: number
  /** USD per million tokens, with the rounding errors of Together's list. */
  readonly input: number
  readonly output: number
  readonly cachedInput?: number
  /** The older engine streams in dialect A, the newer one in dialect B. */
  readonly engine: 'a' | 'b'
  /** Listed, but not callable without a dedicated endpoint, or while that endpoint is stopped. */
  readonly absence?: 'not serverless' | 'endpoint stopped'
  /** Streams report usage only on request. */
  readonly reportsUsageOnRequest?: boolean
}

/** A part of Together's list of August 2026, with its prices. */
export const togetherModels: readonly TogetherModel[] = [
  chat('moonshotai/Kimi-K3', 1_000_000, 3, 15, { cachedInput: 0.3, reportsUsageOnRequest: true }),
  chat('zai-org/GLM-5.2', 512_000, 1.4, 4.4, { cachedInput: 0.25999999999999995 }),
  chat('Qwen/Qwen3.5-9B', 262_144, 0.17, 0.25),
  chat('Qwen/Qwen2.5-7B-Instruct-Turbo', 32_768, 0.3, 0.3),
  chat('openai/gpt-oss-120b', 131_072, 0.15, 0.6),
  chat('openai/gpt-oss-20b', 131_072, 0.05, 0.2),
  chat('meta-llama/Llama-3.3-70B-Instruct-Turbo', 131_072, 1.0399999999999998, 1.0399999999999998, {
    engine: 'a',
  }),
  chat('mistralai/Mistral-7B-Instruct-v0.2', 32_768, 0.2, 0.2, { engine: 'a' }),
  chat('mistralai/Mixtral-8x7B-Instruct-v0.1', 32_768, 0.6, 0.6, { engine: 'a', absence: 'not serverless' }),
  chat('mistralai/Mixtral-8x22B-Instruct-v0.1', 65_536, 0, 0, { engine: 'a', absence: 'not serverless' }),
  chat('mistralai/Mistral-Small-24B-Instruct-2501', 32_768, 0.1, 0.3, {
    engine: 'a',
    absence: 'endpoint stopped',
  }),
  {
    id: 'intfloat/multilingual-e5-large-instruct',
    type: 'embedding',
    ...{ contextTokens: 514, input: 0.02, output: 0.02, engine: 'b' },
  },
  {
    id: 'Salesforce/Llama-Rank-V1',
    type: 'rerank',
    ...{ contextTokens: 8192, input: 0.1, output: 0.1, engine: 'b' },
  },
]

/** A row of the answer to `GET /v1/models`. */
export function listedRow(model: TogetherModel): object {
  const { id, type, contextTokens, input, output, cachedInput } = model
  const [organization = ''] = id.split('/')
  return {
    ...{ id, object: 'model', created: 0, type, running: false, display_name: id, organization, link: '' },
    context_length: contextTokens,
    config: { chat_template: null, stop: [], bos_token: null, eos_token: null },
    pricing: {
      ...{ hourly: 0, input, output, base: 0, finetune: 0 },
      ...(cachedInput === undefined ? {} : { cached_input: cachedInput }),
    },
  }
}

/** The prices for the bill. */
export function priceOf({ input, output, cachedInput }: TogetherModel): Price {
  return {
    ...unknownPrice,
    inputNanoUsdPerMillion: nanoUsdOf(input),
    outputNanoUsdPerMillion: nanoUsdOf(output),
    cachedInputNanoUsdPerMillion: cachedInput === undefined ? undefined : nanoUsdOf(cachedInput),
  }
}

function chat(
  id: string,
  contextTokens: number,
  input: number,
  output: number,
  more: Partial<TogetherModel> = {},
): TogetherModel {
  return { id, type: 'chat', contextTokens, input, output, engine: 'b', ...more }
}

function nanoUsdOf(usd: number): number {
  return Math.round(usd * 1e9)
}
