import type { Relay, RelayReply } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, nearest } from '../model/json.ts'

/**
 * The answer to a call that has documents put in order, vouched for: each result tells of one of the documents,
 * none twice, and how well it suits. Throws `invalid_response` otherwise.
 */
export function validateRerank({ body, source }: RelayReply, call: Relay): RelayReply {
  const { documents } = call.body
  const { results } = body
  const count = Array.isArray(documents) ? documents.length : 0
  const told = new Set<unknown>()
  if (!Array.isArray(results) || results.length > count) throw unreadable()
  for (const result of results) {
    if (!isObject(result) || !Number.isFinite(nearest(result['relevance_score']))) throw unreadable()
    const { index } = result
    if (!Number.isInteger(index) || Number(index) < 0 || Number(index) >= count || told.has(index)) {
      throw unreadable()
    }
    told.add(index)
  }
  return typeof body['model'] === 'string'
    ? { body, source }
    : { body: { ...body, model: call.model }, source: undefined }
}

function unreadable(): Failure {
  return new Failure('invalid_response', 'The upstream did not tell how well each document suits the query.')
}
