import { dropField } from '../json/field-change.ts'
import { isObject, type JsonObject } from '../json/json.ts'

/**
 * Finds the usage in a chunk: beside the choices, in Groq's own field, or inside a choice (Moonshot), where the last
 * one counts for all.
 */
export function usageIn(chunk: JsonObject): unknown {
  const { usage, x_groq: groq, choices } = chunk
  if (isCounting(usage)) return usage
  if (isObject(groq) && isCounting(groq['usage'])) return groq['usage']
  if (!Array.isArray(choices)) return usage
  for (const choice of choices.toReversed()) {
    if (!isObject(choice)) continue
    const holders = [choice, choice['delta'], choice['message']]
    const holder = holders.filter(isObject).find((each) => isCounting(each['usage']))
    if (holder !== undefined) return holder['usage']
  }
  return usage
}

/** Removes the usage from the choices. True if there was one. */
export function dropUsageInside({ choices }: JsonObject): boolean {
  let isFound = false
  for (const choice of Array.isArray(choices) ? choices.filter(isObject) : []) {
    for (const holder of [choice, choice['delta'], choice['message']]) {
      if (isObject(holder) && dropField(holder, 'usage')) isFound = true
    }
  }
  return isFound
}

/** Names of the counts at upstreams, the more specific first. */
export const promptNames = ['prompt_tokens', 'input_tokens', 'inputTokens'] as const
export const completionNames = ['completion_tokens', 'output_tokens', 'outputTokens'] as const

/** The breakdown of a usage's counts; undefined if not reported. */
export type UsageParts = {
  /** Of the prompt: read from a cache, written to a cache, audio. */
  readonly cachedTokens: number | undefined
  readonly writtenTokens: number | undefined
  readonly promptAudioTokens: number | undefined
  /** Of the answer: reasoning, audio. */
  readonly reasoningTokens: number | undefined
  readonly audioTokens: number | undefined
}

/** The breakdown, under any of the names that upstreams use. */
export function usageParts(usage: JsonObject): UsageParts {
  if (isPlain(usage)) return noParts
  return {
    cachedTokens: partIn(usage, paths.cachedTokens),
    writtenTokens: partIn(usage, paths.writtenTokens),
    promptAudioTokens: partIn(usage, paths.promptAudioTokens),
    reasoningTokens: partIn(usage, paths.reasoningTokens),
    audioTokens: partIn(usage, paths.audioTokens),
  }
}

const noParts: UsageParts = {
  cachedTokens: undefined,
  writtenTokens: undefined,
  promptAudioTokens: undefined,
  reasoningTokens: undefined,
  audioTokens: undefined,
}

/** Most usages are three counts. Searching them for a breakdown took 2 % of a call. */
function isPlain(usage: JsonObject): boolean {
  for (const name in usage) {
    if (name !== 'prompt_tokens' && name !== 'completion_tokens' && name !== 'total_tokens') return false
  }
  return true
}

/** Tokens that some upstreams report separately, and others as part of the prompt or completion count. */
export type SeparateTokens = { readonly prompt: number; readonly completion: number }

/**
 * Tokens that the counts leave out: parts that were counted separately according to the total (the reasoning of xAI and
 * Gemini), cached input in Anthropic's own format, and reasoning tokens that exceed their answer.
 */
export function separateTokens(
  usage: JsonObject,
  promptTokens: number,
  completionTokens: number,
): SeparateTokens {
  const parts = usageParts(usage)
  const total = usage['total_tokens']
  if (isCount(total) && total >= promptTokens + completionTokens) {
    return separateIn(parts, total - promptTokens - completionTokens)
  }
  const isTotalReported = isCount(total) && total > 0
  const { cachedTokens = 0, writtenTokens = 0, reasoningTokens = 0 } = parts
  return {
    prompt: isAnthropic(usage) && !isTotalReported ? cachedTokens + writtenTokens : 0,
    completion: !isTotalReported && reasoningTokens > completionTokens ? reasoningTokens : 0,
  }
}

/** The usage with its breakdown in OpenAI's fields; unchanged if it is already in them, or not reported. */
export function withDetails(usage: JsonObject): JsonObject {
  const parts = usageParts(usage)
  if (parts === noParts) return usage
  const { cachedTokens, writtenTokens, reasoningTokens } = parts
  const prompt = { cached_tokens: cachedTokens, cache_write_tokens: writtenTokens }
  const detailed = filled(usage, 'prompt_tokens_details', prompt)
  return filled(detailed, 'completion_tokens_details', { reasoning_tokens: reasoningTokens })
}

/** Paths of members. OpenAI's own first, then those of its Responses API, then those of others. */
const paths = {
  cachedTokens: [
    ['prompt_tokens_details', 'cached_tokens'],
    ['input_tokens_details', 'cached_tokens'],
    // Mistral's.
    ['prompt_token_details', 'cached_tokens'],
    ['num_cached_tokens'],
    // Together's and Moonshot's, DeepSeek's, Anthropic's.
    ['cached_tokens'],
    ['prompt_cache_hit_tokens'],
    ['cache_read_input_tokens'],
    ['prompt_tokens_details', 'cache_read_tokens'],
    ['cached_prompt_tokens'],
    ['cacheReadInputTokens'],
  ],
  writtenTokens: [
    ['prompt_tokens_details', 'cache_write_tokens'],
    ['input_tokens_details', 'cache_write_tokens'],
    ['prompt_tokens_details', 'cache_creation_tokens'],
    ['cache_creation_input_tokens'],
    ['cacheWriteInputTokens'],
  ],
  promptAudioTokens: [
    ['prompt_tokens_details', 'audio_tokens'],
    ['input_tokens_details', 'audio_tokens'],
  ],
  reasoningTokens: [
    ['completion_tokens_details', 'reasoning_tokens'],
    ['output_tokens_details', 'reasoning_tokens'],
    ['output_tokens_details', 'thinking_tokens'],
    ['completion_tokens_details', 'thinking_tokens'],
    ['reasoning_tokens'],
    ['num_reasoning_tokens'],
    ['thoughts_tokens'],
  ],
  audioTokens: [
    ['completion_tokens_details', 'audio_tokens'],
    ['output_tokens_details', 'audio_tokens'],
  ],
} as const satisfies Record<keyof UsageParts, readonly (readonly string[])[]>

function partIn(usage: JsonObject, candidatePaths: readonly (readonly string[])[]): number | undefined {
  for (const path of candidatePaths) {
    let value: unknown = usage
    for (const key of path) value = isObject(value) ? value[key] : undefined
    if (isCount(value)) return value
  }
  return undefined
}

/** The parts that explain the gap exactly: as few as possible, reasoning first. */
function separateIn(parts: UsageParts, gap: number): SeparateTokens {
  const nothing = { prompt: 0, completion: 0 }
  if (gap === 0) return nothing
  const candidates = (
    [
      ['completion', parts.reasoningTokens],
      ['completion', parts.audioTokens],
      ['prompt', parts.promptAudioTokens],
      ['prompt', parts.cachedTokens],
      ['prompt', parts.writtenTokens],
    ] as const
  ).flatMap(([side, tokens]) => (tokens ? [{ side, tokens }] : []))
  const chosen = subsetsOf(candidates).find((some) => sumOf(some) === gap) ?? []
  return {
    prompt: sumOf(chosen.filter(({ side }) => side === 'prompt')),
    completion: sumOf(chosen.filter(({ side }) => side === 'completion')),
  }
}

/** All subsets, smaller ones first. */
function subsetsOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const subsets: (readonly Item[])[] = [[]]
  for (const item of items) subsets.push(...subsets.map((some) => [...some, item]))
  return subsets.toSorted((one, other) => one.length - other.length)
}

function sumOf(parts: readonly { readonly tokens: number }[]): number {
  return parts.reduce((sum, { tokens }) => sum + tokens, 0)
}

/** In that format, the input excludes cached tokens. */
function isAnthropic(usage: JsonObject): boolean {
  if (usage['prompt_tokens'] !== undefined && usage['prompt_tokens'] !== null) return false
  return ['cache_read_input_tokens', 'cacheReadInputTokens'].some((name) => isCount(usage[name]))
}

function filled(
  usage: JsonObject,
  name: string,
  parts: Readonly<Record<string, number | undefined>>,
): JsonObject {
  const details = isObject(usage[name]) ? usage[name] : {}
  const missing = Object.entries(parts).filter(
    ([part, tokens]) => tokens !== undefined && details[part] !== tokens,
  )
  if (missing.length === 0) return usage
  return { ...usage, [name]: { ...details, ...Object.fromEntries(missing) } }
}

function isCounting(usage: unknown): boolean {
  if (!isObject(usage)) return false
  const isReported = (name: string) => (usage[name] ?? null) !== null
  return promptNames.some(isReported) || completionNames.some(isReported)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
