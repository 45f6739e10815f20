import { isObject, type JsonObject } from '../json/json.ts'
import type { LazySet } from '../lazy-set.ts'
import type { Usage } from '../terms.ts'
import { completionNames, promptNames, separateTokens, withDetails } from './usage-formats.ts'

/** The token counts that an upstream reported, each a whole number within reason. */
export type ClaimedUsage = {
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  /** The object the upstream sent, with its breakdown in OpenAI's fields: all of it is forwarded. */
  readonly raw: JsonObject
}

/**
 * Reads an upstream's usage object. An impossible count (negative, absurd, not whole) counts as not reported, so that
 * it is counted here instead, and `usage_clamped` is added to `flags`. Parts that the upstream counts separately are
 * added to the count that includes them elsewhere. Undefined if there is no object.
 */
export function readUsage(value: unknown, flags: Pick<LazySet, 'add'>): ClaimedUsage | undefined {
  if (!isObject(value)) return undefined
  const promptTokens = readCount(namedIn(value, promptNames), flags)
  const completionTokens = readCount(namedIn(value, completionNames), flags)
  const raw = withDetails(value)
  if (promptTokens === undefined || completionTokens === undefined) {
    return { promptTokens, completionTokens, raw }
  }
  const separate = separateTokens(value, promptTokens, completionTokens)
  if (separate.prompt === 0 && separate.completion === 0) return { promptTokens, completionTokens, raw }
  return {
    promptTokens: readCount(promptTokens + separate.prompt, flags),
    completionTokens: readCount(completionTokens + separate.completion, flags),
    raw,
  }
}

function namedIn(usage: JsonObject, names: readonly string[]): unknown {
  const name = names.find((each) => (usage[each] ?? null) !== null)
  return name === undefined ? undefined : usage[name]
}

/** Reads one count by the same rule. */
export function readCount(value: unknown, flags: Pick<LazySet, 'add'>): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= absurdTokens) {
    return value
  }
  flags.add('usage_clamped')
  return undefined
}

/** The usage of one answer: whole counts, `total` their sum, all other fields as sent by the upstream. */
export function writeUsage(raw: JsonObject, promptTokens: number, completionTokens: number): Usage {
  const totalTokens = promptTokens + completionTokens
  if (
    raw['prompt_tokens'] === promptTokens &&
    raw['completion_tokens'] === completionTokens &&
    raw['total_tokens'] === totalTokens
  ) {
    return raw as Usage
  }
  return {
    ...raw,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
  }
}

/** The sum over several answers, without a breakdown, which does not add up. A single usage is unchanged. */
export function addUsage(usages: readonly Usage[]): Usage {
  const [only] = usages
  if (only !== undefined && usages.length === 1) return only
  let promptTokens = 0
  let completionTokens = 0
  for (const usage of usages) {
    promptTokens += usage.prompt_tokens
    completionTokens += usage.completion_tokens
  }
  return writeUsage({}, promptTokens, completionTokens)
}

/** Larger than any context window: a counting error. */
const absurdTokens = 100_000_000
