import type { Relay } from '../../core/model/call.ts'
import { callOf, requireModel } from '../shared/call.ts'
import { everyPrefix, type Incoming, type RelayDialect } from '../shared/dialect.ts'
import { aBoolean, anInteger, anObject, aString, form, list } from '../shared/schemas.ts'
import { type Fields, fieldsOf, refuseUnknown, validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { openAiError } from './error.ts'

/** Reranking of documents in the format of Together, vLLM, Jina and Cohere. */
export const rerank: RelayDialect = {
  name: 'rerank',
  path: '/rerank',
  prefixes: everyPrefix,
  get requestShape() {
    return { fields, required: ['query', 'documents'] }
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
  for (const name of ['query', 'documents']) {
    if (body[name] === undefined || body[name] === null) throw missing(name)
  }
  validate(body, fields)
  if (strict) refuseUnknown(body, fields)
  return callOf(request, 'rerank', 'rerank')
}

const document = form((value) => (typeof value === 'string' ? undefined : anObject()))

const fields: Fields = fieldsOf({
  model: aString,
  query: aString,
  documents: list(document, 'an array of strings or objects', { minLength: 1 }),
  top_n: anInteger.min(1),
  return_documents: aBoolean,
  rank_fields: list(aString, 'an array of strings'),
  max_chunks_per_doc: anInteger.min(1),
})
