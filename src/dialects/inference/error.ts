import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'

/** The error body of `/inference`: `error` is a sentence, and details have their own keys. */
export function inferenceError(failure: Failure): JsonObject {
  const { code, message, provider, param, status, extra } = failure
  const named = provider === undefined ? {} : { provider }
  if (code === 'invalid_json') return { error: 'Invalid JSON body' }
  if (status === 502) return { ...extra, error: 'Upstream provider failed', ...named, details: message }
  if (status === 504) return { ...extra, error: 'Upstream request timed out', ...named }
  return { ...extra, error: message, ...named, ...(param === null ? {} : { param }) }
}
