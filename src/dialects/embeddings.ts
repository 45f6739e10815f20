import { Failure } from '../core/failure.ts'
import type { Relay } from '../core/model.ts'
import { callOf, requireModel } from './call.ts'
import type { Incoming, RelayDialect } from './dialect.ts'
import { missing } from './issue.ts'
import { openAiError } from './openai-error.ts'
import { anInteger, aString, form, list, nothingBut, oneOf } from './shape.ts'
import { type Fields, fieldsOf, refuseUnknown, validate } from './validate.ts'

/** OpenAI's embeddings: texts, or the token ids that LangChain makes of them. */
export const embeddings: RelayDialect = {
  name: 'embeddings',
  path: '/embeddings',
  prefixes: ['/v1', '/inference', '/inference/v1'],
  parse,
  render: ({ body, source }) => source ?? JSON.stringify(body),
  fail: openAiError,
}

function parse(request: Incoming): Relay {
  const { body, strict } = request
  requireModel(body)
  const { input } = body
  if (input === undefined || input === null) throw missing('input')
  validate(body, fields)
  if (strict) refuseUnknown(body, fields)
  if (input === '') {
    throw new Failure('invalid_request', "Invalid 'input': input cannot be an empty string.", {
      param: 'input',
    })
  }
  return callOf(request, 'embeddings', 'embeddings')
}

/** OpenAI's own bound on the texts of one request. */
const mostTexts = 2048

const bounds = { minLength: 1, maxLength: mostTexts }
const texts = list(aString, 'an array of strings', { ...bounds, plain: (value) => typeof value === 'string' })
const tokens = list(anInteger.min(0), 'an array of integers', { minLength: 1, plain: isToken })
const tokenLists = list(tokens, 'an array of arrays of integers', bounds)
const noInput = nothingBut(
  'one of a string, array of strings, array of integers, or array of arrays of integers',
)

const fields: Fields = fieldsOf({
  model: aString,
  input: form((value) => {
    if (typeof value === 'string') return undefined
    if (!Array.isArray(value)) return noInput
    if (Array.isArray(value[0])) return tokenLists
    return typeof value[0] === 'number' ? tokens : texts
  }),
  dimensions: anInteger.min(1),
  encoding_format: oneOf(['float', 'base64']),
  user: aString,
})

function isToken(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
