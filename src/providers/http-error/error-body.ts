import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { parseAnswer } from '../wire/wire-answer.ts'

/** The fields of an error body. All are undefined if it is not JSON. */
export type ErrorBody = {
  readonly message: string | undefined
  readonly type: string | undefined
  readonly code: string | undefined
  readonly param: string | undefined
  /** Further fields, unchanged. */
  readonly extra: JsonObject
}

/**
 * Reads OpenAI's `{"error": {...}}`, the flat body of older vLLM, SGLang and Baseten's engines, `{"error": "text"}`,
 * `{"message": "text"}` and `{"detail": ...}`.
 */
export function readErrorBody(text: string): ErrorBody {
  const body = parseAnswer(text)
  if (!isObject(body)) return nothing
  const inner = isObject(body['error']) ? body['error'] : body
  return {
    message: firstString(inner['message'], inner['error'], inner['detail'], details(inner['detail'])),
    type: firstString(inner['type'], inner['error_type']),
    code: firstString(inner['code'], inner['error_code']),
    param: firstString(inner['param']),
    extra: Object.fromEntries(
      Object.entries(inner).filter(([name, value]) => !read.has(name) && value !== null),
    ),
  }
}

const nothing: ErrorBody = {
  ...{ message: undefined, type: undefined, code: undefined, param: undefined },
  extra: {},
}

/** Fields that are read above, or only repeat the status or an id. */
const read: ReadonlySet<string> = new Set([
  ...['message', 'error', 'detail', 'type', 'error_type', 'code', 'error_code', 'param', 'object'],
  ...['status', 'status_code', 'http_status_code', 'id', 'user_id', 'request_id'],
])

/** FastAPI lists errors as `{loc: ["body", "prompt"], msg, input}`. The input is left out: it repeats the request. */
function details(detail: unknown): string | undefined {
  if (!Array.isArray(detail)) return undefined
  const faults = detail
    .filter(isObject)
    .map(fault)
    .filter((text) => text !== '')
  return faults.length === 0 ? undefined : faults.join('; ')
}

function fault({ loc, msg }: JsonObject): string {
  if (typeof msg !== 'string') return ''
  return Array.isArray(loc)
    ? `${loc
        .filter((step) => step !== 'body')
        .map(spell)
        .join('.')}: ${msg}`
    : msg
}

function firstString(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value !== '')
}
