import { prefixIn } from '../../core/adapt/repeated-prefix.ts'
import type { Call } from '../../core/model/call.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { callOf, requireModel } from '../shared/call.ts'
import { type Dialect, everyPrefix, type Incoming } from '../shared/dialect.ts'
import { refuseUnknown, validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { anthropicError } from './error.ts'
import { anthropicFields, strictAnthropicFields } from './fields.ts'
import { renderMessage } from './reply.ts'
import { chatRequest } from './request.ts'
import { createAnthropicStream } from './stream.ts'

/** Anthropic's Messages API. Requests become chat calls. */
export const anthropic: Dialect = {
  name: 'messages',
  path: '/messages',
  prefixes: everyPrefix,
  requestShape: { fields: anthropicFields, required: ['messages'] },
  requestIdHeader: 'request-id',
  parse(request) {
    if (request.strict && (request.body.value['max_tokens'] ?? null) === null) throw missing('max_tokens')
    return messageCall(request)
  },
  render: renderMessage,
  encoder: createAnthropicStream,
  fail: anthropicError,
}

/**
 * Parses a request for a message, or for the count of its tokens. Throws Failure `invalid_request` or `unsupported`.
 */
export function messageCall(request: Incoming): Call {
  const {
    body: { value: sent },
    strict,
  } = request
  requireModel(sent)
  if ((sent['messages'] ?? null) === null) throw missing('messages')
  validate(sent, strict ? strictAnthropicFields : anthropicFields)
  if (strict) refuseUnknown(sent, strictAnthropicFields)
  const { body, dropped } = chatRequest(sent)
  const prefills = prefixIn(body['messages']) !== undefined
  return { ...callOf({ ...request, body: JsonText.of(body) }, anthropic.name, 'chat'), dropped, prefills }
}
