import type { CallOf } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Kind, RelayKind } from '../../core/model/terms.ts'
import type { Incoming } from './dialect.ts'
import { steer } from './steering.ts'

/**
 * Makes a call of a validated request in OpenAI's shape. Its body is the caller's without the steering fields. Throws
 * Failure `invalid_request` for invalid steering fields. `stream_options` is ignored without `stream`.
 */
export function callOf<Asked extends Kind | RelayKind>(
  request: Incoming,
  dialect: string,
  kind: Asked,
): CallOf<Asked> {
  const { id, credential, deadlineMs } = request
  const steered = steer(request)
  const body = steered?.body ?? request.body
  const { value } = body
  const stream = value['stream'] === true
  const options = value['stream_options'] as JsonObject | null | undefined
  return {
    id,
    dialect,
    kind,
    model: steered?.model ?? (value['model'] as string),
    stream,
    includeUsage: stream && options?.['include_usage'] === true,
    // Releases the bytes: a stream may stay open for long, and its body is nearly always edited before it is sent.
    body: stream ? body.withoutBytes() : body,
    credential,
    deadlineMs,
    steering: steered?.steering,
  }
}

/** Throws OpenAI's error if neither `model` nor `models` names a model. */
export function requireModel({ model, models }: JsonObject): void {
  const isNamedElsewhere = Array.isArray(models) && models.length > 0
  if (!isNamedElsewhere && (model === undefined || model === null || model === '')) {
    throw new Failure('invalid_request', 'you must provide a model parameter', { param: 'model' })
  }
}

/** Throws for `stream_options` without a stream. Only strict mode uses it, because tests of OpenAI's SDKs send that. */
export function refuseIdleStreamOptions(body: JsonObject): void {
  const options = body['stream_options']
  if (options === undefined || options === null || body['stream'] === true) return
  throw new Failure(
    'invalid_request',
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    { param: 'stream_options' },
  )
}
