import type { Failure } from '../../core/model/failure.ts'
import { type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { type Asked, refusal } from './http-error.ts'

/** What to make of an error that was reported inside an answer; undefined: no more than that there was one. */
export type ReadError = (error: JsonObject) => Failure | undefined

/**
 * The failure that an error means which a server reports with status 200: before its first token, in the middle of
 * a stream, or as the whole of a reply. It says the status it would have had, or says in words what only one status
 * has. Undefined for what is the upstream's own trouble, or does not say.
 */
export function reportedFailure(error: JsonObject, asked: Asked): Failure | undefined {
  // Where no status is told, only words that mean something on any status may count.
  const status = statusIn(error) ?? 500
  const failure = refusal({ status, header: () => undefined, text: JSON.stringify({ error }) }, asked)
  return failure.kind === 'upstream_error' ? undefined : failure
}

/** `http_status_code` is TGI's, `code` that of vLLM, SGLang, llama.cpp and OpenRouter. */
function statusIn(error: JsonObject): number | undefined {
  const { http_status_code, status_code, status, code } = error
  return [http_status_code, status_code, status, code].map(numberOf).find(isErrorStatus)
}

function isErrorStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 400 && value < 600
}
