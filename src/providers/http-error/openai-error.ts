import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { failureOf, type RequestContext } from './http-error.ts'

/** Returns the failure for an error inside an answer; undefined if the reader has no details. */
export type ReadError = (error: JsonObject) => Failure | undefined

/**
 * The failure for an error that a server reports with status 200: before the first token, in mid-stream, or as the
 * whole reply. The error contains its status, or words that belong to only one status. Anything else is the upstream's
 * own failure.
 */
export function reportedFailure(error: JsonObject, asked: RequestContext): Failure {
  // Without a status, only words that have the same meaning with every status count.
  const status = statusIn(error) ?? 500
  const failure = failureOf({ status, header: () => undefined, text: JSON.stringify({ error }) }, asked)
  if (failure.kind !== 'upstream_error') return failure
  const { provider, upstreamSaid, extra } = failure
  return new Failure('upstream_error', withoutStatus(failure.message), { provider, upstreamSaid, extra })
}

/** Removes the status, because the answer's own status was a success. */
function withoutStatus(message: string): string {
  const [, said] = /^The upstream answered with status \d+: (.*)$/s.exec(message) ?? []
  return said === undefined ? reported : `${reported} ${said}`
}

const reported = 'The upstream reported an error instead of an answer.'

/** TGI uses `http_status_code`; vLLM, SGLang, llama.cpp and OpenRouter use `code`. */
function statusIn(error: JsonObject): number | undefined {
  const { http_status_code, status_code, status, code } = error
  return [http_status_code, status_code, status, code].map(numberOf).find(isErrorStatus)
}

function isErrorStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 400 && value < 600
}
