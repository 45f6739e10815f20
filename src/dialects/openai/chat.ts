import type { Call } from '../../core/model/call.ts'
import { requireModel } from '../shared/call.ts'
import { type Dialect, everyPrefix, type Incoming } from '../shared/dialect.ts'
import { validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { chatCallOf } from './chat-call.ts'
import { chatFields, strictChatFields } from './chat-fields.ts'
import { openAiError } from './error.ts'
import { renderReply } from './reply.ts'
import { createOpenAiStream } from './stream.ts'
import { refuseByOpenAi } from './strict-chat.ts'

/** OpenAI's chat completions. */
export const chat: Dialect = {
  name: 'chat',
  path: '/chat/completions',
  prefixes: everyPrefix,
  requestShape: { fields: chatFields, required: ['messages'] },
  parse,
  render: renderReply,
  encoder: createOpenAiStream,
  fail: openAiError,
}

function parse(request: Incoming): Call {
  const {
    body: { value: body },
    strict,
  } = request
  requireModel(body)
  if (body['messages'] === undefined || body['messages'] === null) throw missing('messages')
  validate(body, strict ? strictChatFields : chatFields)
  if (strict) refuseByOpenAi(body)
  return chatCallOf(request, chat.name)
}
