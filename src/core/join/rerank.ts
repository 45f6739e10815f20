import type { Relay, RelayReply } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, nearest, numberOf } from '../model/json/json.ts'

/**
 * Validates an answer to a rerank call: each result names one of the documents, none twice, with its score. Throws
 * `invalid_response` otherwise.
 */
export function validateRerank(reply: RelayReply, call: Relay): RelayReply {
  const { documents } = call.body.value
  const settled = withResults(reply)
  const { results, model } = settled.value
  const count = Array.isArray(documents) ? documents.length : 0
  const seen = new Set<unknown>()
  if (!Array.isArray(results) || results.length > count) throw unreadable()
  for (const result of results) {
    if (!isObject(result) || !Number.isFinite(nearest(result['relevance_score']))) throw unreadable()
    const { index } = result
    if (!Number.isInteger(index) || numberOf(index) < 0 || numberOf(index) >= count || seen.has(index)) {
      throw unreadable()
    }
    seen.add(index)
  }
  return typeof model === 'string' ? settled : settled.with({ model: call.model })
}

/** Some servers call the results `data` (Voyage), some the score `score`. */
function withResults(reply: RelayReply): RelayReply {
  const { results, data } = reply.value
  const given = results ?? data
  if (!Array.isArray(given)) return reply
  const scored = given.map((result: unknown) => {
    if (!isObject(result) || result['relevance_score'] !== undefined || result['score'] === undefined) {
      return result
    }
    const { score, ...rest } = result
    return { ...rest, relevance_score: score }
  })
  if (results !== undefined && scored.every((result, at) => result === given[at])) return reply
  return reply.with({ results: scored, data: results === undefined ? undefined : data })
}

function unreadable(): Failure {
  return new Failure('invalid_response', 'The upstream did not give a score for each document.')
}
