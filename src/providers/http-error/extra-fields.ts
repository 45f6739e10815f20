import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { redact } from './redact.ts'

/**
 * Further fields of an upstream's error, redacted for the caller. Examples are text that a model wrote instead of a
 * tool call (Groq's `failed_generation`) and the error behind a router (OpenRouter's `metadata.raw`). Often they are
 * the only place that names the cause.
 */
export function extraFields(extra: JsonObject, secrets: readonly string[], request: string): JsonObject {
  let left = mostFields
  const shown = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return redact(value, secrets, { request, most: mostCharacters })
    if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value
    if (depth >= deepest) return undefined
    if (Array.isArray(value)) return value.slice(0, mostFields).map((each) => shown(each, depth + 1) ?? null)
    const fields = Object.entries(value).flatMap(([name, held]) => {
      if (!fieldName.test(name) || left-- <= 0) return []
      return [[name, shown(held, depth + 1)] as const]
    })
    return Object.fromEntries(fields)
  }
  const fields = shown(extra, 0)
  return isObject(fields) ? fields : {}
}

const fieldName = /^[A-Za-z][\w.-]{0,63}$/
const deepest = 4
const mostFields = 32
const mostCharacters = 2000
