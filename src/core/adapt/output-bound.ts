import type { JsonObject } from '../model/json/json.ts'
import type { Traits } from '../model/ports.ts'

/**
 * What is to be said of the length of an answer that was asked to be longer than its model can make it. Undefined where
 * it was not, and where how much that is, is not known.
 */
export function withinBound(
  body: JsonObject,
  { maxOutputTokens, lowersMaxTokens = true }: Traits,
): Readonly<Record<string, number>> | undefined {
  if (maxOutputTokens === undefined || !lowersMaxTokens) return undefined
  const above = fields.filter((field) => {
    const asked = body[field]
    return typeof asked === 'number' && asked > maxOutputTokens
  })
  if (above.length === 0) return undefined
  return Object.fromEntries(above.map((field) => [field, maxOutputTokens]))
}

/** Where a call says how long its answer may be. */
const fields = ['max_completion_tokens', 'max_tokens'] as const
