import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { type Asked, refusal } from './http-error.ts'

/** The failure for an error that was reported inside an answer; undefined: no details are known. */
export type ReadError = (error: JsonObject) => Failure | undefined

/**
 * The failure for an error that a server reports with status 200: before the first token, in mid-stream, or as the
 * whole reply. It contains the status it would have had, or words that belong to only one status. Anything else is a
 * problem of the upstream itself.
 */
export function reportedFailure(error: JsonObject, asked: Asked): Failure {
  // Without a status, only words that mean the same at any status count.
  const status = statusIn(error) ?? 500
  const failure = refusal({ status, header: () => undefined, text: JSON.stringify({ error }) }, asked)
  if (failure.kind !== 'upstream_error') return failure
  const { provider, upstreamSaid, extra } = failure
  return new Failure('upstream_error', withoutStatus(failure.message), { provider, upstreamSaid, extra })
}

/** The answer's status was a success: only the words about the request remain. */
function withoutStatus(message: string): string {
  const [, said] = /^The upstream answered with status \d+: (.*)$/s.exec(message) ?? []
  return said === undefined ? reported : `${reported} ${said}`
}

const reported = 'The upstream reported an error instead of an answer.'

/** `http_status_code` is TGI's, `code` that of vLLM, SGLang, llama.cpp and OpenRouter. */
function statusIn(error: JsonObject): number | undefined {
  const { http_status_code, status_code, status, code } = error
  return [http_status_code, status_code, status, code].map(numberOf).find(isErrorStatus)
}

function isErrorStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 400 && value < 600
}
