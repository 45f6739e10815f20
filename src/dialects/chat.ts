import { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Call } from '../core/model.ts'
import { refuseIdleStreamOptions, requireModel } from './call.ts'
import { chatCallOf } from './chat-call.ts'
import { chatFields, strictChatFields } from './chat-fields.ts'
import type { Dialect, Incoming } from './dialect.ts'
import { missing } from './issue.ts'
import { openAiError } from './openai-error.ts'
import { renderReply } from './openai-reply.ts'
import { createOpenAiStream } from './openai-stream.ts'
import { everyPrefix } from './prefixes.ts'
import { refuseUnknown, validate } from './validate.ts'

/** OpenAI's chat completions. */
export const chat: Dialect = {
  name: 'chat',
  path: '/chat/completions',
  prefixes: everyPrefix,
  parse,
  render: renderReply,
  encoder: createOpenAiStream,
  fail: openAiError,
}

function parse(request: Incoming): Call {
  const { body, strict } = request
  requireModel(body)
  if (body['messages'] === undefined || body['messages'] === null) throw missing('messages')
  validate(body, strict ? strictChatFields : chatFields)
  if (strict) refuseByOpenAi(body)
  return chatCallOf(request, 'chat')
}

function refuseByOpenAi(body: JsonObject): void {
  refuseUnknown(body, strictChatFields)
  refuseIdleStreamOptions(body)
  const topLogprobs = body['top_logprobs']
  if (topLogprobs === undefined || topLogprobs === null || body['logprobs'] === true) return
  throw new Failure(
    'invalid_request',
    "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
    { param: 'top_logprobs' },
  )
}
