import type { JsonObject } from '../model/json/json.ts'
import type { Traits } from '../model/ports.ts'

/**
 * The edits that lower a requested output length to the model's maximum. Undefined if it is within, or if the maximum
 * is unknown.
 */
export function withinBound(
  body: JsonObject,
  { maxOutputTokens, lowersMaxTokens = true }: Traits,
): Readonly<Record<string, number>> | undefined {
  if (maxOutputTokens === undefined || !lowersMaxTokens) return undefined
  const above = fields.filter((field) => {
    const requested = body[field]
    return typeof requested === 'number' && requested > maxOutputTokens
  })
  if (above.length === 0) return undefined
  return Object.fromEntries(above.map((field) => [field, maxOutputTokens]))
}

/** The fields that bound the output. */
const fields = ['max_completion_tokens', 'max_tokens'] as const
