import type { Call } from '../core/model.ts'
import { refuseFewCandidates, refuseStreamedBest } from './best-of.ts'
import { callOf, refuseIdleStreamOptions, requireModel } from './call.ts'
import type { Dialect, Incoming } from './dialect.ts'
import { missing } from './issue.ts'
import { openAiError } from './openai-error.ts'
import { renderReply } from './openai-reply.ts'
import { createOpenAiStream } from './openai-stream.ts'
import { everyPrefix } from './prefixes.ts'
import { strictTextFields, textFields } from './text-fields.ts'
import { refuseUnknown, validate } from './validate.ts'

/** OpenAI's text completions. */
export const completions: Dialect = {
  name: 'completions',
  path: '/completions',
  prefixes: everyPrefix,
  parse,
  render: renderReply,
  encoder: createOpenAiStream,
  fail: openAiError,
}

function parse(request: Incoming): Call {
  const { body, strict } = request
  requireModel(body)
  // OpenAI continues an empty document when there is no prompt; here that is taken for a mistake.
  if (body['prompt'] === undefined || body['prompt'] === null) throw missing('prompt')
  validate(body, strict ? strictTextFields : textFields)
  refuseStreamedBest(body)
  if (strict) {
    refuseUnknown(body, strictTextFields)
    refuseIdleStreamOptions(body)
    refuseFewCandidates(body)
  }
  return callOf(request, 'completions', 'text')
}
