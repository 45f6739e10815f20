import type { Relay, RelayReply } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, nearest, numberOf } from '../model/json.ts'

/**
 * The answer to a call that has documents put in order, validated: each result tells of one of the documents,
 * none twice, and how well it suits. Throws `invalid_response` otherwise.
 */
export function validateRerank(reply: RelayReply, call: Relay): RelayReply {
  const { documents } = call.body.value
  const { results, model } = reply.value
  const count = Array.isArray(documents) ? documents.length : 0
  const told = new Set<unknown>()
  if (!Array.isArray(results) || results.length > count) throw unreadable()
  for (const result of results) {
    if (!isObject(result) || !Number.isFinite(nearest(result['relevance_score']))) throw unreadable()
    const { index } = result
    if (!Number.isInteger(index) || numberOf(index) < 0 || numberOf(index) >= count || told.has(index)) {
      throw unreadable()
    }
    told.add(index)
  }
  return typeof model === 'string' ? reply : reply.with({ model: call.model })
}

function unreadable(): Failure {
  return new Failure('invalid_response', 'The upstream did not tell how well each document suits the query.')
}
