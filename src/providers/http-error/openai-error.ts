import { Failure } from '../../core/model/failure.ts'
import { type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { type Asked, refusal } from './http-error.ts'

/** What to make of an error that was reported inside an answer; undefined: no more is known of it. */
export type ReadError = (error: JsonObject) => Failure | undefined

/**
 * The failure that an error means which a server reports with status 200: before its first token, in the middle of
 * a stream, or as the whole of a reply. It says the status it would have had, or says in words what only one status
 * has. What is neither is the upstream's own trouble.
 */
export function reportedFailure(error: JsonObject, asked: Asked): Failure {
  // Where no status is told, only words that mean something on any status may count.
  const status = statusIn(error) ?? 500
  const failure = refusal({ status, header: () => undefined, text: JSON.stringify({ error }) }, asked)
  if (failure.kind !== 'upstream_error') return failure
  const { provider, upstreamSaid, extra } = failure
  return new Failure('upstream_error', withoutStatus(failure.message), { provider, upstreamSaid, extra })
}

/** It came with a status of success: what remains are the words that are about the request. */
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
