import type { Call } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { callOf, refuseIdleStreamOptions, requireModel } from '../shared/call.ts'
import { type Dialect, everyPrefix, type Incoming } from '../shared/dialect.ts'
import { refuseLogitBias } from '../shared/strict-values.ts'
import { refuseUnknown, validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { refuseFewCandidates, refuseStreamedBest } from './best-of.ts'
import { openAiError } from './error.ts'
import { renderReply } from './reply.ts'
import { createOpenAiStream } from './stream.ts'
import { strictTextFields, textFields } from './text-fields.ts'

/** OpenAI's text completions. */
export const completions: Dialect = {
  name: 'completions',
  path: '/completions',
  prefixes: everyPrefix,
  requestShape: { fields: textFields, required: ['prompt'] },
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
  // Without a prompt, OpenAI continues an empty document. The gateway treats a missing prompt as an error.
  if (body['prompt'] === undefined || body['prompt'] === null) throw missing('prompt')
  validate(body, strict ? strictTextFields : textFields)
  refuseStreamedBest(body)
  if (strict) {
    refuseUnknown(body, strictTextFields)
    refuseIdleStreamOptions(body)
    refuseFewCandidates(body)
    refuseLogitBias(body['logit_bias'])
    refuseEchoedSuffix(body)
  }
  return callOf(request, completions.name, 'text')
}

/** `echo` and `suffix` cannot be combined. */
function refuseEchoedSuffix({ echo, suffix }: JsonObject): void {
  if (echo !== true || (suffix ?? '') === '') return
  const message = "Invalid parameter: 'echo' is not supported with 'suffix'."
  throw new Failure('invalid_request', message, { param: 'echo', code: 'invalid_parameter_combination' })
}
