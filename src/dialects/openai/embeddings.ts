import type { Relay } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { callOf, requireModel } from '../shared/call.ts'
import { everyPrefix, type Incoming, type RelayDialect } from '../shared/dialect.ts'
import { anInteger, aString, oneOf } from '../shared/schemas.ts'
import { type Fields, fieldsOf, refuseUnknown, validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { openAiError } from './error.ts'
import { promptSchema } from './prompt-schema.ts'

/** OpenAI's embeddings of texts, or of token ids, which LangChain sends. */
export const embeddings: RelayDialect = {
  name: 'embeddings',
  path: '/embeddings',
  prefixes: everyPrefix,
  get requestShape() {
    return { fields, required: ['input'] }
  },
  parse,
  render: ({ text }) => text,
  fail: openAiError,
}

function parse(request: Incoming): Relay {
  const {
    body: { value: body },
    strict,
  } = request
  requireModel(body)
  const { input } = body
  if (input === undefined || input === null) throw missing('input')
  validate(body, fields)
  if (input === '') throw emptyText('input')
  if (strict) {
    refuseUnknown(body, fields)
    const at = Array.isArray(input) ? input.indexOf('') : -1
    if (at !== -1) throw emptyText(`input[${at}]`)
  }
  return callOf(request, 'embeddings', 'embeddings')
}

function emptyText(param: string): Failure {
  const message = `Invalid '${param}': input cannot be an empty string.`
  return new Failure('invalid_request', message, { param })
}

/** OpenAI's limit for texts per request. */
const mostTexts = 2048

const fields: Fields = fieldsOf({
  model: aString,
  input: promptSchema(mostTexts),
  dimensions: anInteger.min(1),
  encoding_format: oneOf(['float', 'base64']),
  user: aString,
})
