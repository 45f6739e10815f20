import type { PriceEntry } from './price-book.ts'

/** In USD per million tokens; cached input last. */
type Row = readonly [
  model: string,
  contextTokens: number | undefined,
  input: string,
  output: string,
  cachedInput?: string,
]

/** Where rows come from, and when they hold. */
type Heading = Pick<PriceEntry, 'provider' | 'from' | 'until' | 'source' | 'isFirm'>

/** Together's own list of August 2026: the head of it, and what its documentation calls serverless. */
const togetherServed: readonly Row[] = [
  ['moonshotai/Kimi-K3', 1_000_000, '3', '15', '0.3'],
  ['zai-org/GLM-5.2', 512_000, '1.4', '4.4', '0.26'],
  ['meta-models/Muse-Glimmer-30B', 131_072, '0.35', '1.5', '0.04'],
  ['Qwen/Qwen3.8-2.4T-A95B', 1_010_000, '2.5', '6.25', '0.5'],
  ['deepseek-ai/DeepSeek-V4-Pro-0813', 1_048_576, '1.32', '3.96', '0.13'],
  ['deepseek-ai/DeepSeek-V4-Flash-0731', 1_048_576, '0.14', '0.28', '0.03'],
  ['thinkingmachines/Inkling', 524_288, '1', '4.05', '0.17'],
  ['MiniMaxAI/MiniMax-M3', 524_288, '0.3', '1.2', '0.06'],
  ['thinkingmachines/Inkling-Small', 524_288, '0.5', '1.2', '0.1'],
  ['moonshotai/Kimi-K2.7-Code', 262_144, '0.95', '4', '0.19'],
  ['deepseek-ai/DeepSeek-V4-Pro', 512_000, '1.74', '3.48', '0.2'],
  ['nvidia/nemotron-3-ultra-550b-a55b', 512_288, '0.6', '3.6', '0.2'],
  ['moonshotai/Kimi-K2.6', 262_144, '1.2', '4.5', '0.2'],
  ['Qwen/Qwen3.7-Max', 1_000_000, '1.25', '3.75', '0.125'],
  ['google/gemma-4-31B-it', 262_144, '0.39', '0.97'],
  ['pearl-ai/gemma-4-31b-it', 262_144, '0.28', '0.86'],
  ['openai/gpt-oss-120b', 131_072, '0.15', '0.6'],
  ['openai/gpt-oss-20b', 131_072, '0.05', '0.2'],
  ['Qwen/Qwen3.5-9B', 262_144, '0.17', '0.25'],
  ['Qwen/Qwen2.5-7B-Instruct-Turbo', 32_768, '0.3', '0.3'],
  ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 131_072, '1.04', '1.04'],
  ['google/gemma-3n-E4B-it', 32_768, '0.06', '0.12'],
  ['intfloat/multilingual-e5-large-instruct', 514, '0.02', '0.02'],
  ['Qwen/Qwen3.6-Plus', 1_000_000, '0.5', '3'],
]

/**
 * Further down the same list: priced there, though most are refused without an endpoint of one's own. What the list has at
 * 0 for input and output is not free but not served, and left out.
 */
const togetherListed: readonly Row[] = [
  ['meta-llama/Llama-Guard-4-12B', 1_048_576, '0.2', '0.2'],
  ['arize-ai/qwen-2-1.5b-instruct', 32_768, '0.1', '0.1'],
  ['deepcogito/cogito-v2-1-671b', 163_840, '1.25', '1.25'],
  ['Qwen/Qwen3.7-Plus', 1_000_000, '0.32', '1.28'],
  ['LiquidAI/LFM2.5-8B-A1B', 128_000, '0.03', '0.12'],
  ['mistralai/Mistral-7B-Instruct-v0.1', 32_768, '0.2', '0.2'],
  ['mistralai/Mixtral-8x7B-Instruct-v0.1', 32_768, '0.6', '0.6'],
  ['NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO', 32_768, '0.6', '0.6'],
  ['deepseek-ai/deepseek-coder-33b-instruct', 16_384, '0.8', '0.8'],
  ['meta-llama/Llama-3-8b-chat-hf', 8192, '0.2', '0.2'],
  ['meta-llama/Meta-Llama-3-8B-Instruct', 8192, '0.2', '0.2'],
  ['mistralai/Mistral-7B-Instruct-v0.3', 32_768, '0.2', '0.2'],
  ['google/gemma-2-27b-it', 8192, '0.8', '0.8'],
  ['meta-llama/Meta-Llama-3-70B-Instruct-Turbo', 8192, '0.88', '0.88'],
  ['meta-llama/Meta-Llama-3.1-8B', 16_384, '0.2', '0.2'],
  ['meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo', 131_072, '0.88', '0.88'],
  ['Qwen/Qwen2-1.5B-Instruct', 32_768, '0.02', '0.02'],
  ['Salesforce/Llama-Rank-V1', 8192, '0.1', '0.1'],
  ['Qwen/Qwen2.5-72B-Instruct-Turbo', 131_072, '1.2', '1.2'],
  ['nvidia/Llama-3.1-Nemotron-70B-Instruct-HF', 32_768, '0.88', '0.88'],
  ['Qwen/Qwen2.5-Coder-32B-Instruct', 16_384, '0.8', '0.8'],
  ['meta-llama/Llama-3.1-405B-Instruct', 4096, '3.5', '3.5'],
  ['meta-llama/Llama-3.2-1B-Instruct', 131_072, '0.06', '0.06'],
  ['meta-llama/Llama-3.2-3B-Instruct', 131_072, '0.06', '0.06'],
  ['Qwen/Qwen2.5-72B-Instruct', 32_768, '1.2', '1.2'],
  ['Qwen/Qwen2.5-14B-Instruct', 32_768, '0.8', '0.8'],
  ['Qwen/Qwen2-VL-72B-Instruct', 32_768, '1.2', '1.2'],
  ['deepseek-ai/DeepSeek-R1-Distill-Llama-70B', 131_072, '2', '2'],
  ['deepseek-ai/DeepSeek-R1-Distill-Qwen-14B', 131_072, '1.6', '1.6'],
  ['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B', 131_072, '0.18', '0.18'],
  ['mistralai/Mistral-Small-24B-Instruct-2501', 32_768, '0.1', '0.3'],
  ['Qwen/QwQ-32B', 131_072, '1.2', '1.2'],
  ['meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo', 131_072, '0.18', '0.18'],
  ['Qwen/Qwen2.5-VL-72B-Instruct', 32_768, '1.95', '8'],
  ['meta-llama/Llama-4-Scout-17B-16E-Instruct', 1_048_576, '0.18', '0.59'],
  ['Qwen/Qwen2-72B-Instruct', 32_768, '0.9', '0.9'],
  ['BAAI/bge-base-en-v1.5', 512, '0.008', '0.008'],
  ['deepseek-ai/DeepSeek-R1-0528', 163_840, '3', '7'],
  ['Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8', 262_144, '2', '2'],
  ['zai-org/GLM-4.5-Air-FP8', 131_072, '0.2', '1.1'],
  ['deepseek-ai/DeepSeek-V3.1', 131_072, '0.6', '1.7'],
  ['Qwen/Qwen3-Next-80B-A3B-Instruct', 262_144, '0.15', '1.5'],
  ['Qwen/Qwen3-Next-80B-A3B-Thinking', 262_144, '0.15', '1.5'],
  ['nvidia/NVIDIA-Nemotron-Nano-9B-v2', 131_072, '0.06', '0.25'],
  ['Qwen/Qwen3-VL-8B-Instruct', 262_144, '0.18', '0.68'],
  ['zai-org/GLM-4.6', 202_752, '0.6', '2.2'],
  ['Qwen/Qwen3-VL-32B-Instruct', 262_144, '0.5', '1.5'],
  ['arcee-ai/trinity-mini', 128_000, '0.045', '0.15'],
  ['mistralai/Ministral-3-14B-Instruct-2512', 262_144, '0.2', '0.2'],
  ['zai-org/GLM-4.7', 202_752, '0.45', '2'],
  ['Qwen/Qwen3-Coder-Next-FP8', 262_144, '0.5', '1.2'],
  ['moonshotai/Kimi-K2.5-fp4', 262_144, '0.5', '2.8'],
  ['zai-org/GLM-5', 202_752, '1', '3.2'],
  ['Qwen/Qwen3.5-397B-A17B', 262_144, '0.6', '3.6', '0.35'],
  ['zai-org/GLM-5.1', 202_752, '1.4', '4.4', '0.26'],
  ['MiniMaxAI/MiniMax-M2.7', 196_608, '0.3', '1.2', '0.06'],
]

/** What Together has ceased to list, or to list at this price. */
const togetherBefore: readonly Row[] = [
  ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 131_072, '0.88', '0.88'],
  ['meta-llama/Meta-Llama-3-8B-Instruct-Lite', 8192, '0.14', '0.14'],
  ['meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo', 4096, '3.50', '3.50'],
  ['mistralai/Mistral-7B-Instruct-v0.2', 32_768, '0.20', '0.20'],
  ['mistralai/Mixtral-8x22B-Instruct-v0.1', 65_536, '1.20', '1.20'],
  // A list in wide use has 6.00 for the output: ten times too much.
  ['Qwen/Qwen3-235B-A22B-Instruct-2507-tput', 262_144, '0.20', '0.60'],
]

const togetherMaverick: readonly Row[] = [
  ['meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8', 1_048_576, '0.27', '0.85'],
]

/** Model APIs, from Baseten's own list. Lengths are rounded down where the capture rounds; owners it leaves out. */
const basetenServed: readonly Row[] = [
  ['openai/gpt-oss-120b', 128_072, '0.10', '0.50', '0.10'],
  ['*GLM-4.7', 200_000, '0.60', '2.20', '0.12'],
  ['*GLM-5.2', 1_045_000, '1.40', '4.40', '0.14'],
  ['*GLM-5.2-Fast', undefined, '2.10', '6.60'],
  ['*Kimi-K2.6', 262_000, '0.95', '4.00', '0.16'],
  ['*Kimi-K2.7-Code', 262_000, '0.95', '4.00', '0.16'],
  ['*Kimi-K3', 1_045_000, '3', '15', '0.30'],
  ['*DeepSeek-V4-Pro', 262_000, '1.74', '3.48', '0.145'],
  ['*DeepSeek-V4-Pro-0813', undefined, '1.32', '3.96', '0.132'],
  ['*DeepSeek-V4-Flash-0731', undefined, '0.13', '0.26', '0.028'],
  ['*Nemotron-3-Ultra*', 202_750, '0.60', '2.40', '0.12'],
  ['thinkingmachines/inkling', undefined, '1', '4.05'],
]

const basetenHearsay: readonly Row[] = [
  ['*GLM-5.3', undefined, '1.40', '4.40'],
  ['*GLM-5.3-Flash', undefined, '0.15', '0.50'],
  ['*DeepSeek-V4.1-Flash', undefined, '0.30', '1.20'],
]

const basetenBefore: readonly Row[] = [['*Qwen3-Coder-480B*', undefined, '0.38', '1.53']]

/** Mistral's own API. */
const mistralServed: readonly Row[] = [
  ['open-mistral-7b', undefined, '0.25', '0.25'],
  ['open-mixtral-8x7b', undefined, '0.70', '0.70'],
  ['mistral-nemo', 128_000, '0.15', '0.15'],
  ['mistral-small-latest', 256_000, '0.15', '0.60'],
]

const mistralHearsay: readonly Row[] = [
  // A sale.
  ['mistral-large-4-0', undefined, '0.68', '2.09'],
  ['mistral-small-4*', undefined, '0.15', '0.60'],
  ['ministral-3-8b*', undefined, '0.15', '0.15'],
]

const together = { provider: 'together', from: '2026-08-18', source: 'Together /v1/models, August 2026' }
const baseten = { provider: 'baseten', from: '2026-08-20', source: 'Baseten /v1/models, August 2026' }
const mistral = { provider: 'mistral', from: '2026-07-02', source: 'models.dev, July 2026' }
const julyLists = {
  from: '2026-07-02',
  until: '2026-08-18',
  source: 'public price lists, July 2026',
  isFirm: false,
}
const october = { from: '2026-10-03', source: 'a third party, October 2026', isFirm: false }

/**
 * Prices of models that are shipped, by type of provider, each with the day from which it is known to hold: newer ones
 * come from a provider's own list or from the operator. None of Pandotate's is known.
 */
export const shippedPrices: readonly PriceEntry[] = [
  ...byTokens(together, togetherServed),
  ...byTokens({ ...together, isFirm: false }, togetherListed),
  ...byTokens({ ...together, ...julyLists }, togetherBefore),
  ...byTokens({ ...together, ...julyLists, from: undefined, until: '2026-03-31' }, togetherMaverick),
  ...byTokens(baseten, basetenServed),
  ...byTokens({ ...baseten, ...october }, basetenHearsay),
  ...byTokens({ ...baseten, ...october, from: undefined, until: '2026-03-13' }, basetenBefore),
  ...byTokens(mistral, mistralServed),
  ...byTokens({ ...mistral, ...october }, mistralHearsay),
]

function byTokens(heading: Heading, rows: readonly Row[]): readonly PriceEntry[] {
  return rows.map(([model, contextTokens, input, output, cachedInput]) => ({
    ...heading,
    model,
    contextTokens,
    price: { unit: 'usd_per_million_tokens', input, output, cachedInput },
  }))
}
