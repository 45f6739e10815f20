import { describe, expect, test } from 'vitest'
import type { BreakerState } from '../../../src/core/health/health-snapshot.ts'
import type { PriceCap, Steering } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Traits } from '../../../src/core/model/ports.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import type { Candidate } from '../../../src/core/plan/strategies/candidate.ts'
import {
  type Filter,
  type Needs,
  needsOf,
  refusalOf,
  steer,
  suitable,
} from '../../../src/core/plan/suitability.ts'
import { namesOf, poolOf } from '../../harness/core/pool.ts'
import { aCall } from '../../harness/scripted-upstream.ts'

const nothingSpecial: Needs = {
  relay: false,
  tools: false,
  jsonSchema: false,
  vision: false,
  logprobs: false,
  promptTokens: 100,
  maxTokens: 0,
  isPlain: true,
}

const unsteered: Steering = {
  models: [],
  order: [],
  only: undefined,
  ignore: [],
  strategy: undefined,
  maxPrice: undefined,
  allowFallbacks: true,
}

const everything: Traits = { tools: true, jsonSchema: true, vision: true, logprobs: true }

describe('a call needs', () => {
  const image = { type: 'image_url', image_url: { url: 'data:,' } }
  const words = { type: 'text', text: 'What is this?' }
  const cases: [string, JsonObject, Partial<Needs>][] = [
    ['nothing special', {}, {}],
    ['tools', { tools: [{ type: 'function' }] }, { tools: true }],
    ['tools by their old name', { functions: [{ name: 'f' }] }, { tools: true }],
    ['no tools of an empty list', { tools: [], functions: [] }, {}],
    ['no tools of null', { tools: null }, {}],
    ['a schema', { response_format: { type: 'json_schema', json_schema: {} } }, { jsonSchema: true }],
    ['no schema for any JSON', { response_format: { type: 'json_object' } }, {}],
    ['no schema of null', { response_format: null }, {}],
    ['sight for an image', { messages: [{ role: 'user', content: [words, image] }] }, { vision: true }],
    [
      'sight for an image of long ago',
      {
        messages: [
          { role: 'user', content: [image] },
          { role: 'user', content: 'And?' },
        ],
      },
      { vision: true },
    ],
    ['no sight for parts of text', { messages: [{ role: 'user', content: [words] }] }, {}],
    ['logprobs of a chat', { logprobs: true, top_logprobs: 2 }, { logprobs: true, isPlain: false }],
    ['logprobs of a text, only of chosen tokens', { logprobs: 0 }, { logprobs: true, isPlain: false }],
    ['no logprobs that were declined', { logprobs: false }, {}],
    ['room for what it asks', { max_tokens: 50 }, { maxTokens: 50 }],
    ['room by the newer name first', { max_tokens: 50, max_completion_tokens: 70 }, { maxTokens: 70 }],
    [
      'output by the older name if the newer is null',
      { max_tokens: 50, max_completion_tokens: null },
      { maxTokens: 50 },
    ],
  ]
  test.for(cases)('%s', ([_, fields, needs]) => {
    const call = aCall({ kind: 'chat' })
    expect(needsOf({ ...call, body: call.body.with(fields) }, 100)).toEqual({
      ...nothingSpecial,
      shortfall: expect.any(Function),
      ...needs,
    })
  })
})

describe('what a deployment is known to lack', () => {
  const cases: [Partial<Needs>, Traits, Filter][] = [
    [{ tools: true }, { tools: false }, 'tools'],
    [{ jsonSchema: true }, { jsonSchema: false }, 'json_schema'],
    [{ vision: true }, { vision: false }, 'vision'],
    [{ logprobs: true }, { logprobs: false }, 'logprobs'],
    [{ promptTokens: 900, maxTokens: 101 }, { contextTokens: 1000 }, 'context'],
    [{ maxTokens: 101 }, { maxOutputTokens: 100 }, 'context'],
  ]
  test.for(cases)('%o against %o removes it: %s', ([needs, traits, filter]) => {
    const pool = poolOf({
      unknown: {},
      able: { deployment: { traits: { ...everything, contextTokens: 1001, maxOutputTokens: 101 } } },
      unable: { deployment: { traits } },
    })
    const { kept, removed } = suitable(pool, { ...nothingSpecial, ...needs }, undefined)
    expect(namesOf(kept)).toEqual(['unknown', 'able'])
    expect(removed).toEqual([{ deployment: pool[2]?.deployment, filter, reason: expect.any(String) }])
    expect(namesOf(suitable(pool, nothingSpecial, undefined).kept)).toEqual(['unknown', 'able', 'unable'])
  })

  test('removes even the last candidate', () => {
    const { kept } = suitable(
      poolOf({ unable: { deployment: { traits: { tools: false } } } }),
      { ...nothingSpecial, tools: true },
      undefined,
    )
    expect(kept).toEqual([])
  })
})

describe('an estimate of the prompt', () => {
  const cases: [string, number, number, Traits, boolean][] = [
    ['that fits to the token', 900, 100, { contextTokens: 1000 }, true],
    ['that may be a little too high', 1100, 100, { contextTokens: 1000 }, true],
    ['that may be too high by a fifth', 1125, 100, { contextTokens: 1000 }, true],
    ['that is too high for any tokenizer', 1130, 100, { contextTokens: 1000 }, false],
    ['with a bound that leaves no room, which is not an estimate', 100, 1000, { contextTokens: 1000 }, false],
    ['beside a bound above the deployment’s own', 100, 600, { maxOutputTokens: 500 }, true],
  ]
  test.for(cases)(
    '%s: %i + %i in %o: the last is kept, %o',
    ([_, promptTokens, maxTokens, traits, isKept]) => {
      const pool = poolOf({ last: { deployment: { traits } } })
      const { kept, removed } = suitable(pool, { ...nothingSpecial, promptTokens, maxTokens }, undefined)
      expect(kept.length).toBe(isKept ? 1 : 0)
      expect(removed.length).toBe(isKept ? 0 : 1)
    },
  )

  test('names what does not fit', () => {
    const pool = poolOf({
      small: { deployment: { traits: { contextTokens: 1000 } } },
      terse: { deployment: { traits: { maxOutputTokens: 50 } } },
      large: {},
    })
    const { removed } = suitable(pool, { ...nothingSpecial, promptTokens: 950, maxTokens: 100 }, undefined)
    expect(removed.map(({ reason }) => reason)).toEqual([
      'holds 1000 tokens, and the call needs about 950 + 100',
      'answers with 50 tokens at most, and 100 were requested',
    ])
  })
})

describe('a price cap', () => {
  const price = { ...unknownPrice, inputNanoUsdPerMillion: 100, outputNanoUsdPerMillion: 400 }
  const perSecond = { ...unknownPrice, nanoUsdPerSecond: 5 }
  const pool = poolOf({
    priced: { cost: 1000, deployment: { price } },
    timed: { cost: 900, deployment: { price: perSecond } },
    unpriced: {},
  })
  const cases: [PriceCap, string[]][] = [
    [{}, ['priced', 'timed', 'unpriced']],
    [{ inputNanoUsdPerMillion: 100 }, ['priced']],
    [{ inputNanoUsdPerMillion: 99 }, []],
    [{ outputNanoUsdPerMillion: 400 }, ['priced']],
    [{ outputNanoUsdPerMillion: 399 }, []],
    [{ inputNanoUsdPerMillion: 100, outputNanoUsdPerMillion: 399 }, []],
    [{ requestNanoUsd: 1000 }, ['priced', 'timed']],
    [{ requestNanoUsd: 999 }, ['timed']],
    [{ requestNanoUsd: 0 }, []],
  ]
  test.for(cases)('%o keeps %j', ([maxPrice, names]) => {
    const { kept, removed } = suitable(pool, nothingSpecial, { ...unsteered, maxPrice })
    expect(namesOf(kept)).toEqual(names)
    expect(removed.map(({ filter }) => filter)).toEqual(Array(3 - names.length).fill('price'))
  })
})

describe('breakers', () => {
  const cases: [string, BreakerState[], string[]][] = [
    ['an open one is removed', ['closed', 'open', 'half-open'], ['p0', 'p2']],
    ['only open ones stay, all of them', ['open', 'open'], ['p0', 'p1']],
    ['the last one stays', ['open'], ['p0']],
    ['a half-open one is enough to remove the others', ['open', 'half-open', 'open'], ['p1']],
  ]
  test.for(cases)('%s', ([_, states, names]) => {
    const pool = poolOf(Object.fromEntries(states.map((breaker, place) => [`p${place}`, { breaker }])))
    const { kept, removed } = suitable(pool, nothingSpecial, undefined)
    expect(namesOf(kept)).toEqual(names)
    expect(removed.map(({ filter }) => filter)).toEqual(Array(states.length - names.length).fill('breaker'))
  })

  test('the last candidate that can take the call stays, though healthy ones cannot', () => {
    const pool = poolOf({
      well: { deployment: { traits: { tools: false } } },
      sick: { breaker: 'open', deployment: { traits: { tools: true } } },
    })
    expect(namesOf(suitable(pool, { ...nothingSpecial, tools: true }, undefined).kept)).toEqual(['sick'])
  })
})

describe('a caller’s providers', () => {
  const pool = poolOf({ a: {}, b: {}, c: {}, d: {} })
  const cases: [Partial<Steering>, string[]][] = [
    [{}, ['a', 'b', 'c', 'd']],
    [{ only: ['c', 'a'] }, ['a', 'c']],
    [{ only: [] }, []],
    [{ only: ['elsewhere'] }, []],
    [{ ignore: ['b'] }, ['a', 'c', 'd']],
    [{ ignore: ['A'] }, ['a', 'b', 'c', 'd']],
    [{ only: ['a', 'b'], ignore: ['b'] }, ['a']],
    [{ order: ['d', 'b'] }, ['d', 'b', 'a', 'c']],
    [{ order: ['elsewhere', 'c'] }, ['c', 'a', 'b', 'd']],
    [{ order: ['c'], only: ['a', 'b', 'c'] }, ['c', 'a', 'b']],
    [{ allowFallbacks: false }, ['a']],
    [{ allowFallbacks: false, order: ['c'] }, ['c']],
    [{ allowFallbacks: false, ignore: ['a'] }, ['b']],
  ]
  test.for(cases)('%o: %j', ([change, names]) => {
    const steering = { ...unsteered, ...change }
    expect(namesOf(steer(suitable(pool, nothingSpecial, steering).kept, steering))).toEqual(names)
  })

  test('deployments of a preferred provider keep the strategy’s order', () => {
    const twice: readonly Candidate[] = [
      ...poolOf({ a: { cost: 1 }, b: { cost: 2 } }),
      ...poolOf({ b: { cost: 3 } }),
    ]
    const steered = steer(twice, { ...unsteered, order: ['b'] })
    expect(steered.map(({ expectedNanoUsd }) => expectedNanoUsd)).toEqual([2, 3, 1])
  })

  test('without preferences nothing is copied', () => {
    expect(steer(pool, undefined)).toBe(pool)
  })
})

test('each is removed once, for the first reason that applies', () => {
  const pool = poolOf({
    worst: { breaker: 'open', deployment: { traits: { tools: false, vision: false, contextTokens: 1 } } },
    well: {},
  })
  const steering = { ...unsteered, ignore: ['worst'] }
  const { removed } = suitable(pool, { ...nothingSpecial, tools: true, vision: true }, steering)
  expect(removed.map(({ filter }) => filter)).toEqual(['steering'])
})

describe('the refusal when no candidate is left', () => {
  const cases: [string, Filter[], { filter: Filter; kind: string; param: string | null }][] = [
    [
      'of the context',
      ['tools', 'context', 'steering'],
      { filter: 'context', kind: 'context_length', param: null },
    ],
    ['of tools', ['steering', 'tools'], { filter: 'tools', kind: 'unsupported', param: 'tools' }],
    [
      'of a schema',
      ['json_schema'],
      { filter: 'json_schema', kind: 'unsupported', param: 'response_format' },
    ],
    [
      'of the price',
      ['price', 'context'],
      { filter: 'price', kind: 'invalid_request', param: 'provider.max_price' },
    ],
    ['of the providers', ['steering'], { filter: 'steering', kind: 'invalid_request', param: 'provider' }],
  ]
  test.for(cases)('is that %s after %j', ([_, filters, expected]) => {
    const [candidate] = poolOf({ one: {} })
    const removed = filters.map((filter) => ({
      deployment: candidate!.deployment,
      filter,
      reason: `fails by ${filter}`,
    }))
    const refusal = refusalOf(removed)
    expect(refusal).toMatchObject({ kind: expected.kind, param: expected.param })
    expect(refusal.status).toBe(400)
    expect(refusal.message).toContain(`fails by ${expected.filter}`)
  })
})
