import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { createSuitabilityCache } from '../../../src/core/plan/candidate-cache.ts'
import { filterCandidates, needsOf } from '../../../src/core/plan/suitability.ts'
import { aCandidate, namesOf, poolOf } from '../../harness/core/pool.ts'
import { aCall, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const tools = [{ type: 'function' }]
const image = { type: 'image_url', image_url: { url: 'data:,' } }
const bodies: readonly [string, JsonObject][] = [
  ['nothing', {}],
  ['tools', { tools }],
  ['a schema', { response_format: { type: 'json_schema' } }],
  ['sight', { messages: [{ role: 'user', content: [image] }] }],
  ['tools and sight', { tools, messages: [{ role: 'user', content: [image] }] }],
]

describe('a suitability cache', () => {
  const pool = poolOf({
    plain: { deployment: { traits: { tools: false, vision: false } } },
    blind: { deployment: { traits: { vision: false, contextTokens: 1000 } } },
    loose: { deployment: { traits: { jsonSchema: false, maxOutputTokens: 100 } } },
    able: {},
  })
  const cache = createSuitabilityCache(pool)

  test.for([...bodies, ...bodies.toReversed()])(
    'filters for a call that needs %s as if it were the first',
    ([, body]) => {
      const needs = needsOf(aCall({ kind: 'chat', body }), 10)
      expect(cache.filterCandidates(needs)).toEqual(filterCandidates(pool, needs, undefined))
    },
  )

  test('does not filter again for calls with the same needs', () => {
    const [one, other] = [10, 5000].map((tokens) =>
      cache.filterCandidates(needsOf(aCall({ body: { tools } }), tokens)),
    )
    expect(other).toBe(one)
    expect(namesOf(one?.able ?? [])).toEqual(['blind', 'loose', 'able'])
    expect(one).toMatchObject({ leastContextTokens: 1000, leastOutputTokens: 100 })
  })

  test('has no result for a call with a feature that an upstream may lack', () => {
    expect(
      cache.filterCandidates(needsOf(aCall({ kind: 'chat', body: { logprobs: true } }), 10)),
    ).toBeUndefined()
  })

  test('has no result if an upstream has only one kind of calls', () => {
    const upstream = scriptedUpstream([[]], { kinds: ['text'] })
    const crossing = createSuitabilityCache([...pool, { ...aCandidate('texts'), upstream }])
    expect(crossing.filterCandidates(needsOf(aCall({ kind: 'chat', body: {} }), 10))).toBeUndefined()
  })
})
