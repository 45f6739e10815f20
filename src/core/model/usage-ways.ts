import { dropField } from './json/field-change.ts'
import { isObject, type JsonObject } from './json/json.ts'

/**
 * Where upstreams put their usage: beside the choices, in a field of Groq's, or inside a choice (Moonshot). The last
 * choice that has one knows of all before it.
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

/** Takes the usage out of the choices. True where there was one. */
export function dropUsageInside({ choices }: JsonObject): boolean {
  let isFound = false
  for (const choice of Array.isArray(choices) ? choices.filter(isObject) : []) {
    for (const holder of [choice, choice['delta'], choice['message']]) {
      if (isObject(holder) && dropField(holder, 'usage')) isFound = true
    }
  }
  return isFound
}

/** Counts as upstreams name them, the more telling name first. */
export const promptNames = ['prompt_tokens', 'input_tokens', 'inputTokens'] as const
export const completionNames = ['completion_tokens', 'output_tokens', 'outputTokens'] as const

/** What a usage tells of the parts of its counts. What it does not tell is undefined. */
export type UsageParts = {
  /** Of the prompt: found in a cache, put into one, heard. */
  readonly cachedTokens: number | undefined
  readonly writtenTokens: number | undefined
  readonly promptAudioTokens: number | undefined
  /** Of the answer: thought, and spoken aloud. */
  readonly reasoningTokens: number | undefined
  readonly audioTokens: number | undefined
}

/** The parts, by all the names that upstreams have for them. */
export function usageParts(usage: JsonObject): UsageParts {
  if (isPlain(usage)) return noParts
  return {
    cachedTokens: partIn(usage, ways.cachedTokens),
    writtenTokens: partIn(usage, ways.writtenTokens),
    promptAudioTokens: partIn(usage, ways.promptAudioTokens),
    reasoningTokens: partIn(usage, ways.reasoningTokens),
    audioTokens: partIn(usage, ways.audioTokens),
  }
}

const noParts: UsageParts = {
  cachedTokens: undefined,
  writtenTokens: undefined,
  promptAudioTokens: undefined,
  reasoningTokens: undefined,
  audioTokens: undefined,
}

/** Most usages are three counts. Looking them through for parts took 2 % of a call. */
function isPlain(usage: JsonObject): boolean {
  for (const name in usage) {
    if (name !== 'prompt_tokens' && name !== 'completion_tokens' && name !== 'total_tokens') return false
  }
  return true
}

/** How many tokens some upstreams count beside a count in which others have them. */
export type CountedBeside = { readonly prompt: number; readonly completion: number }

/**
 * What is missing of the counts: the parts that the total says were counted beside them (xAI's and Gemini's thoughts),
 * what Anthropic's own form leaves out of its input, and thoughts that are more than the answer they would be part of.
 */
export function countedBeside(
  usage: JsonObject,
  promptTokens: number,
  completionTokens: number,
): CountedBeside {
  const parts = usageParts(usage)
  const total = usage['total_tokens']
  if (isCount(total) && total >= promptTokens + completionTokens) {
    return besideIn(parts, total - promptTokens - completionTokens)
  }
  const isTotalTold = isCount(total) && total > 0
  const { cachedTokens = 0, writtenTokens = 0, reasoningTokens = 0 } = parts
  return {
    prompt: isAnthropic(usage) && !isTotalTold ? cachedTokens + writtenTokens : 0,
    completion: !isTotalTold && reasoningTokens > completionTokens ? reasoningTokens : 0,
  }
}

/** The usage with its parts where OpenAI has them; itself where they are there already, or are not told. */
export function withDetails(usage: JsonObject): JsonObject {
  const parts = usageParts(usage)
  if (parts === noParts) return usage
  const { cachedTokens, writtenTokens, reasoningTokens } = parts
  const prompt = { cached_tokens: cachedTokens, cache_write_tokens: writtenTokens }
  const detailed = filled(usage, 'prompt_tokens_details', prompt)
  return filled(detailed, 'completion_tokens_details', { reasoning_tokens: reasoningTokens })
}

/** By the path to them. OpenAI's own come first, then those of its responses, then what others have made up. */
const ways = {
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

function partIn(usage: JsonObject, places: readonly (readonly string[])[]): number | undefined {
  for (const place of places) {
    let value: unknown = usage
    for (const key of place) value = isObject(value) ? value[key] : undefined
    if (isCount(value)) return value
  }
  return undefined
}

/** The parts that make up the gap exactly: as few of them as will do, thoughts before the others. */
function besideIn(parts: UsageParts, gap: number): CountedBeside {
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

/** All of them, the smaller ones first. */
function subsetsOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const subsets: (readonly Item[])[] = [[]]
  for (const item of items) subsets.push(...subsets.map((some) => [...some, item]))
  return subsets.toSorted((one, other) => one.length - other.length)
}

function sumOf(parts: readonly { readonly tokens: number }[]): number {
  return parts.reduce((sum, { tokens }) => sum + tokens, 0)
}

/** There, the input is what no cache had a part in. */
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
  const isTold = (name: string) => (usage[name] ?? null) !== null
  return promptNames.some(isTold) || completionNames.some(isTold)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
