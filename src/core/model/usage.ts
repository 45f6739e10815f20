import { isObject, type JsonObject } from './json/json.ts'
import type { LazySet } from './lazy-set.ts'
import type { Usage } from './terms.ts'
import { completionNames, countedBeside, promptNames, withDetails } from './usage-ways.ts'

/** Token counts as far as an upstream told them, each a whole number of sane size. */
export type ClaimedUsage = {
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  /** The object the upstream sent, its details where OpenAI has them: all of it travels through. */
  readonly raw: JsonObject
}

/**
 * Reads an upstream's usage object. A count that cannot be one (negative, absurd, no whole number) counts as not
 * told, so that it is counted here instead, and `usage_clamped` is added to `flags`. What the upstream counted beside a
 * count that others have it in is added to that. Undefined when there is no object.
 */
export function readUsage(value: unknown, flags: Pick<LazySet, 'add'>): ClaimedUsage | undefined {
  if (!isObject(value)) return undefined
  const promptTokens = readCount(namedIn(value, promptNames), flags)
  const completionTokens = readCount(namedIn(value, completionNames), flags)
  const raw = withDetails(value)
  if (promptTokens === undefined || completionTokens === undefined) {
    return { promptTokens, completionTokens, raw }
  }
  const beside = countedBeside(value, promptTokens, completionTokens)
  if (beside.prompt === 0 && beside.completion === 0) return { promptTokens, completionTokens, raw }
  return {
    promptTokens: readCount(promptTokens + beside.prompt, flags),
    completionTokens: readCount(completionTokens + beside.completion, flags),
    raw,
  }
}

function namedIn(usage: JsonObject, names: readonly string[]): unknown {
  const name = names.find((each) => (usage[each] ?? null) !== null)
  return name === undefined ? undefined : usage[name]
}

/** One count that an upstream claims, by the same rule. */
export function readCount(value: unknown, flags: Pick<LazySet, 'add'>): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= absurdTokens) {
    return value
  }
  flags.add('usage_clamped')
  return undefined
}

/** The usage of one answer: whole counts, `total` their sum, every other field as the upstream sent it. */
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

/** The usage of several answers together: the sums, and no details, for those do not add up. One stays as it is. */
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

/** Beyond any context window there is: a larger count is a fault of the counting. */
const absurdTokens = 100_000_000
