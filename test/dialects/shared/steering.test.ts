import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Call, Steering } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { dialects } from '../../../src/dialects/all.ts'
import { chat } from '../../../src/dialects/openai/chat.ts'
import type { Dialect } from '../../../src/dialects/shared/dialect.ts'
import { incoming, refusalOf } from '../requests.ts'

const minimal: Record<string, JsonObject> = {
  inference: { model: 'm', prompt: 'Hello' },
  completions: { model: 'm', prompt: 'Hello' },
  chat: { model: 'm', messages: [{ role: 'user', content: 'Hello' }] },
}

const nothing: Steering = {
  models: [],
  order: [],
  only: undefined,
  ignore: [],
  strategy: undefined,
  maxPrice: undefined,
  allowFallbacks: true,
}

type Headers = Readonly<Record<string, string>>

function parse(body: JsonObject, headers: Headers = {}, dialect: Dialect = chat): Call {
  const request = incoming({ ...minimal[dialect.name], ...body })
  return dialect.parse({ ...request, headers: (name) => headers[name] })
}

describe('what the body says steers the call', () => {
  type Case = readonly [JsonObject, Partial<Steering>]
  const cases: readonly Case[] = [
    [{ models: ['a', 'b'] }, { models: ['a', 'b'] }],
    [{ models: ['m', 'a', 'a'] }, { models: ['a'] }],
    [{ provider: { order: ['x', 'y'] } }, { order: ['x', 'y'] }],
    [{ provider: { only: ['x'] } }, { only: ['x'] }],
    [{ provider: { ignore: ['x'] } }, { ignore: ['x'] }],
    [{ provider: { sort: 'price' } }, { strategy: 'cheapest' }],
    [{ provider: { sort: 'throughput' } }, { strategy: 'fastest' }],
    [{ provider: { sort: 'latency' } }, { strategy: 'fastest' }],
    [{ provider: { sort: { by: 'price', partition: 'none' } } }, { strategy: 'cheapest' }],
    [{ provider: { allow_fallbacks: false } }, { allowFallbacks: false }],
    [{ provider: { ignore: ['x'], quantizations: ['fp8'], '': 1 } }, { ignore: ['x'] }],
    [
      { models: ['a'], provider: { only: ['x', 'y'], order: ['y'], sort: null, ignore: null } },
      { models: ['a'], only: ['x', 'y'], order: ['y'] },
    ],
  ]
  test.for(cases)('%j', ([body, steering]) => {
    expect(parse(body).steering).toEqual({ ...nothing, ...steering })
  })
})

describe('a cap is USD as a number or as text, and nano-USD inside', () => {
  type Case = readonly [JsonObject, Steering['maxPrice']]
  const cases: readonly Case[] = [
    [{ prompt: 1 }, { inputNanoUsdPerMillion: 1_000_000_000 }],
    [{ prompt: '0.88' }, { inputNanoUsdPerMillion: 880_000_000 }],
    [{ completion: '2.000000001' }, { outputNanoUsdPerMillion: 2_000_000_001 }],
    [{ request: 0.01 }, { requestNanoUsd: 10_000_000 }],
    [{ request: 1e-7 }, { requestNanoUsd: 100 }],
    [
      { prompt: 0, completion: '0' },
      { inputNanoUsdPerMillion: 0, outputNanoUsdPerMillion: 0 },
    ],
    [{ prompt: 0.1 + 0.2 }, { inputNanoUsdPerMillion: 300_000_000 }],
    [{ prompt: '999999.999999999' }, { inputNanoUsdPerMillion: 999_999_999_999_999 }],
    [
      { prompt: 1e15, request: '999999999999.9' },
      { inputNanoUsdPerMillion: 1e15, requestNanoUsd: 1e15 },
    ],
    [{ image: 1, prompt: null }, undefined],
  ]
  test.for(cases)('%j', ([maxPrice, cap]) => {
    expect(parse({ provider: { max_price: maxPrice } }).steering?.maxPrice).toEqual(cap)
  })

  test('and less than nothing is no price: minus zero is zero', () => {
    const request = incoming(
      '{"model":"m","messages":[{"role":"user","content":""}],"provider":{"max_price":{"prompt":-0}}}',
    )
    expect(chat.parse(request).steering?.maxPrice).toEqual({ inputNanoUsdPerMillion: 0 })
  })
})

describe('a suffix names a strategy and is no part of the name', () => {
  type Case = readonly [JsonObject, string, Partial<Steering> | undefined]
  const cases: readonly Case[] = [
    [{ model: 'org/a:floor' }, 'org/a', { strategy: 'cheapest' }],
    [{ model: 'org/a:nitro' }, 'org/a', { strategy: 'fastest' }],
    [{ model: 'llama3:8b:floor' }, 'llama3:8b', { strategy: 'cheapest' }],
    [{ model: 'a', models: ['b:nitro', 'c:floor'] }, 'a', { models: ['b', 'c'], strategy: 'fastest' }],
    [{ model: 'a:floor', models: ['a:nitro', 'b'] }, 'a', { models: ['b'], strategy: 'cheapest' }],
    [{ model: 'a:floor', provider: { sort: 'latency' } }, 'a', { strategy: 'fastest' }],
    [{ model: 'llama3:8b' }, 'llama3:8b', undefined],
    [{ model: 'a:free' }, 'a:free', undefined],
    [{ model: 'afloor' }, 'afloor', undefined],
    [{ model: 'a:FLOOR' }, 'a:FLOOR', undefined],
    [{ model: ':floor' }, ':floor', undefined],
    [{ model: 'a:floors' }, 'a:floors', undefined],
  ]
  test.for(cases)('%j', ([body, model, steering]) => {
    const call = parse(body)
    expect(call.model).toBe(model)
    expect(call.body.value['model']).toBe(model)
    expect(call.steering).toEqual(steering && { ...nothing, ...steering })
  })
})

describe('headers say the same for callers who cannot touch the body', () => {
  type Case = readonly [Headers, Partial<Steering>]
  const cases: readonly Case[] = [
    [{ 'x-pandotate-models': 'a, b:floor ,, m' }, { models: ['a', 'b'], strategy: 'cheapest' }],
    [{ 'x-pandotate-provider-order': 'x,y' }, { order: ['x', 'y'] }],
    [{ 'x-pandotate-provider-only': ' x ' }, { only: ['x'] }],
    [{ 'x-pandotate-provider-ignore': 'x' }, { ignore: ['x'] }],
    [{ 'x-pandotate-provider-sort': 'price' }, { strategy: 'cheapest' }],
    [{ 'x-pandotate-strategy': 'weighted' }, { strategy: 'weighted' }],
    [{ 'x-pandotate-strategy': 'value', 'x-pandotate-provider-sort': 'price' }, { strategy: 'value' }],
    [{ 'x-pandotate-provider-allow-fallbacks': 'false' }, { allowFallbacks: false }],
    [
      { 'x-pandotate-provider-max-price': 'prompt=0.5, completion = 2,request=0.01' },
      {
        maxPrice: {
          inputNanoUsdPerMillion: 500_000_000,
          outputNanoUsdPerMillion: 2_000_000_000,
          requestNanoUsd: 10_000_000,
        },
      },
    ],
  ]
  test.for(cases)('%j', ([headers, steering]) => {
    const call = parse({}, headers)
    expect(call.steering).toEqual({ ...nothing, ...steering })
    expect(call.body.text).toBe(JSON.stringify(minimal['chat']))
  })
})

describe('where both speak, the body counts', () => {
  const headers = {
    'x-pandotate-models': 'h',
    'x-pandotate-provider-order': 'h',
    'x-pandotate-provider-only': 'h',
    'x-pandotate-provider-ignore': 'h',
    'x-pandotate-strategy': 'balanced',
    'x-pandotate-provider-max-price': 'prompt=1, request=1',
    'x-pandotate-provider-allow-fallbacks': 'false',
  }
  const fromHeaders: Steering = {
    models: ['h'],
    order: ['h'],
    only: ['h'],
    ignore: ['h'],
    strategy: 'balanced',
    maxPrice: { inputNanoUsdPerMillion: 1_000_000_000, requestNanoUsd: 1_000_000_000 },
    allowFallbacks: false,
  }
  type Case = readonly [JsonObject, Partial<Steering>]
  const cases: readonly Case[] = [
    [{}, {}],
    [{ models: ['b'] }, { models: ['b'] }],
    [{ models: [] }, { models: [] }],
    [{ models: null, provider: null }, {}],
    [{ provider: { order: ['b'] } }, { order: ['b'] }],
    [{ provider: { only: ['b'] } }, { only: ['b'] }],
    [{ provider: { ignore: [] } }, { ignore: [] }],
    [{ provider: { sort: 'price' } }, { strategy: 'cheapest' }],
    [{ model: 'm:nitro' }, { strategy: 'fastest' }],
    [{ provider: { allow_fallbacks: true } }, { allowFallbacks: true }],
    [
      { provider: { max_price: { prompt: 2 } } },
      { maxPrice: { inputNanoUsdPerMillion: 2_000_000_000, requestNanoUsd: 1_000_000_000 } },
    ],
  ]
  test.for(cases)('%j', ([body, steering]) => {
    expect(parse(body, headers).steering).toEqual({ ...fromHeaders, ...steering })
  })
})

test('the first of models is the model where there is no other', () => {
  for (const model of [undefined, null, '']) {
    const call = parse({ model, models: ['a:floor', 'b'] })
    expect(call).toMatchObject({ model: 'a', body: { model: 'a' } })
    expect(call.steering).toEqual({ ...nothing, models: ['b'], strategy: 'cheapest' })
    expect(() => parse({ model, models: [] })).toThrow('you must provide a model parameter')
  }
  expect(() => parse({ model: undefined, models: 'a' })).toThrow('you must provide a model parameter')
})

/** Those whose requests are of OpenAI's own shape: the others translate. */
const untranslated = dialects.filter(({ name }) => name in minimal)

describe.for(untranslated.map((dialect) => [dialect.name, dialect] as const))(
  'In the dialect %s',
  ([name, dialect]) => {
    const plain = minimal[name]

    test('the fields that steer go no further, and everything else does', () => {
      const call = parse(
        { models: ['a'], provider: { only: ['x'] }, 'x-odd': { models: 1 }, stream: true },
        {},
        dialect,
      )
      expect(JSON.parse(call.body.text)).toEqual({ ...plain, 'x-odd': { models: 1 }, stream: true })
      expect(call.stream).toBe(true)
      expect(call.steering).toEqual({ ...nothing, models: ['a'], only: ['x'] })
    })

    test('fields without a wish go no further either', () => {
      const call = parse({ models: null, provider: {} }, {}, dialect)
      expect(call.body).toEqual(plain)
      expect(call.steering).toBeUndefined()
    })

    test('a call without steering keeps its object and its text', () => {
      const request = { ...incoming({ ...plain }), headers: () => undefined }
      const call = dialect.parse(request)
      expect(call.body).toBe(request.body)
      expect(call.body.text).toBe(request.body.text)
      expect(call.steering).toBeUndefined()
    })

    test('a refusal has the shape of every other', () => {
      const failure = new Failure('invalid_request', 'Why.', { param: 'provider.sort' })
      expect(JSON.stringify(dialect.fail(failure))).toContain('"param":"provider.sort"')
      expect(refusalOf(dialect, { ...plain, provider: { sort: 0 } })?.param).toBe('provider.sort')
    })

    test('no value of the fields does worse than a refusal', () => {
      const anyField = fc.constantFrom('models', 'provider', 'order', 'only', 'sort', 'max_price')
      fc.assert(
        fc.property(anyField, fc.jsonValue({ maxDepth: 3 }), (key, value) => {
          const body =
            key === 'models' || key === 'provider' ? { [key]: value } : { provider: { [key]: value } }
          try {
            parse(body, {}, dialect)
          } catch (thrown) {
            expect(thrown).toMatchObject({ name: 'Failure', kind: 'invalid_request', status: 400 })
          }
        }),
      )
    })
  },
)
