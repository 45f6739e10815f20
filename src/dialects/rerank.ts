import type { Relay } from '../core/model.ts'
import { callOf, requireModel } from './call.ts'
import type { Incoming, RelayDialect } from './dialect.ts'
import { missing } from './issue.ts'
import { openAiError } from './openai-error.ts'
import { everyPrefix } from './prefixes.ts'
import { aBoolean, anInteger, anObject, aString, form, list } from './shape.ts'
import { type Fields, fieldsOf, refuseUnknown, validate } from './validate.ts'

/** Documents in the order they suit a query, as Together, vLLM, Jina and Cohere have it. */
export const rerank: RelayDialect = {
  name: 'rerank',
  path: '/rerank',
  prefixes: everyPrefix,
  parse,
  render: ({ body, source }) => source ?? JSON.stringify(body),
  fail: openAiError,
}

function parse(request: Incoming): Relay {
  const { body, strict } = request
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
