import { describe, expect, test } from 'vitest'
import type { Call, Steering } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Deployment, Route } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import { planning } from '../../harness/routing.ts'
import { aCall, aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const steering: Steering = {
  models: [],
  order: [],
  only: undefined,
  ignore: [],
  strategy: undefined,
  maxPrice: undefined,
  allowFallbacks: true,
}

describe('where a call goes', () => {
  const routes = [
    route(
      'm',
      'fallback',
      at('dear', dollars(2, 2)),
      at('cheap', dollars(1, 1)),
      at('unpriced', unknownPrice),
    ),
    route('other', 'fallback', at('elsewhere', dollars(1, 1))),
    route('drained', 'weighted', at('empty', dollars(1, 1), { weight: 0 }), at('full', dollars(1, 1))),
  ]
  const cases: [string, Partial<Steering> | undefined, Partial<Call>, readonly string[]][] = [
    ['as written', undefined, {}, ['dear', 'cheap', 'unpriced']],
    ['the cheapest first, the unpriced last', { strategy: 'cheapest' }, {}, ['cheap', 'dear', 'unpriced']],
    ['the providers named, first', { order: ['unpriced', 'cheap'] }, {}, ['unpriced', 'cheap', 'dear']],
    ['no others than those allowed', { only: ['cheap', 'dear'] }, {}, ['dear', 'cheap']],
    ['none that is ruled out', { ignore: ['dear'] }, {}, ['cheap', 'unpriced']],
    ['one alone', { allowFallbacks: false }, {}, ['dear']],
    ['none that is too dear, or may be', { maxPrice: { inputNanoUsdPerMillion: 1e9 } }, {}, ['cheap']],
    ['then another model', { models: ['other'] }, {}, ['dear', 'cheap', 'unpriced', 'elsewhere']],
    ['the model that is known', { models: ['other'] }, { model: 'unheard-of' }, ['elsewhere']],
    ['past the drained', undefined, { model: 'drained' }, ['full', 'empty']],
  ]
  test.for(cases)('%s', ([, change, call, names]) => {
    const { planner } = planning(routes, 10)
    const steered = change === undefined ? undefined : { ...steering, ...change }
    const { plan } = planner.plan(aCall({ model: 'm', steering: steered, ...call }))
    expect(plan.map(({ upstream }) => upstream.name).slice(0, names.length)).toEqual(names)
    expect(new Set(plan.map(({ upstream }) => upstream.name))).toEqual(new Set(names))
    const explained = planner.explain(aCall({ model: 'm', steering: steered, ...call }))
    expect(explained.plan).toEqual(plan.map(({ id }) => id))
  })
})

test('a call that no deployment may take is refused with the reason', () => {
  const { planner } = planning([route('m', 'fallback', at('a', dollars(1, 1)))])
  const call = aCall({ model: 'm', steering: { ...steering, only: ['b'] } })
  expect(() => planner.plan(call)).toThrow(
    expect.objectContaining({ kind: 'invalid_request', param: 'provider' }),
  )
  expect(planner.explain(call)).toMatchObject({
    plan: [],
    candidates: [{ deployment: 'm@a', removedBy: { filter: 'steering' } }],
  })
})

describe('a deployment that the gateway has no key for', () => {
  const keyless = (name: string) => {
    const upstream = scriptedUpstream([[]], { name, admits: (credential) => credential === 'pk_own' })
    return at(name, dollars(1, 1), { upstream })
  }

  test('is explained as left out, in its position and at its price', () => {
    const { planner } = planning([route('m', 'cheapest', keyless('a'), at('b', dollars(2, 2)), keyless('c'))])
    const { candidates, plan } = planner.explain(aCall({ model: 'm' }))
    expect(new Set(plan)).toEqual(new Set(['m@b']))
    const removedBy = { filter: 'key', reason: expect.stringMatching(/key/) }
    expect(candidates).toMatchObject([
      { deployment: 'm@a', removedBy, score: undefined, expectedNanoUsd: expect.any(Number) },
      { deployment: 'm@b', removedBy: undefined, score: expect.any(Number) },
      { deployment: 'm@c', removedBy, score: undefined },
    ])
    expect(candidates[1]?.expectedNanoUsd).toBe(2 * (candidates[0]?.expectedNanoUsd ?? 0))
  })

  test('is shown even if it is the only one, though the call itself is refused', () => {
    const { planner } = planning([route('m', 'fallback', keyless('a'))])
    expect(() => planner.plan(aCall({ model: 'm' }))).toThrow(Failure)
    expect(planner.explain(aCall({ model: 'm' }))).toMatchObject({
      plan: [],
      candidates: [{ deployment: 'm@a', removedBy: { filter: 'key' } }],
    })
  })

  test('is an ordinary one for a caller that brings its own key', () => {
    const { planner } = planning([route('m', 'fallback', keyless('a'))])
    const { candidates, plan } = planner.explain(aCall({ model: 'm', credential: 'pk_own' }))
    expect(candidates).toMatchObject([{ removedBy: undefined }])
    expect(plan).not.toEqual([])
  })
})

test('an explanation has the price of each candidate, and its source', () => {
  const priceOrigin = {
    source: 'shipped',
    ...{ sinceEpochMs: 1, asOfEpochMs: 2, sourceName: 'somebody', isFirm: true },
  } as const
  const { planner } = planning([
    route('m', 'fallback', at('a', dollars(1, 2), { priceOrigin }), at('b', unknownPrice)),
  ])
  expect(planner.explain(aCall({ model: 'm' })).candidates).toMatchObject([
    { price: dollars(1, 2), priceOrigin },
    { price: unknownPrice, priceOrigin: undefined },
  ])
})

test('another model is requested by its own name', () => {
  const { planner } = planning([route('*', 'fallback', at('a', dollars(1, 1)))], 10)
  const { plan } = planner.plan(aCall({ model: 'one', steering: { ...steering, models: ['two'] } }))
  expect(new Set(plan.map(({ upstreamModel }) => upstreamModel))).toEqual(new Set([undefined, 'two']))
})

test('if prices cross, a long prompt and a long answer go to different deployments', () => {
  const { planner } = planning([
    route('m', 'cheapest', at('cheap to read', dollars(1, 10)), at('cheap to write', dollars(5, 2))),
  ])
  const first = (prompt: string, maxTokens: number) =>
    planner.plan(aCall({ model: 'm', body: { model: 'm', prompt, max_tokens: maxTokens } })).plan[0].upstream
      .name
  expect(first('word '.repeat(5000), 10)).toBe('cheap to read')
  expect(first('Hi.', 1000)).toBe('cheap to write')
})

test('the expected length is learnt from answers', () => {
  const { planner } = planning([
    route('m', 'cheapest', at('cheap to read', dollars(1, 10)), at('cheap to write', dollars(5, 2))),
  ])
  const call = aCall({ model: 'm', body: { model: 'm', prompt: 'word '.repeat(300) } })
  expect(planner.plan(call).plan[0].upstream.name).toBe('cheap to write')
  const before = planner.explain(call).expectedCompletionTokens
  const told = { prompt_tokens: 300, completion_tokens: 3, total_tokens: 303 }
  for (let turn = 0; turn < 50; turn++) planner.plan(call).learn(told, false, 'm@cheap to write')
  expect(planner.explain(call).expectedCompletionTokens).toBeLessThan(before / 10)
  expect(planner.plan(call).plan[0].upstream.name).toBe('cheap to read')
})

test('a deployment that keeps failing is left out, unless it is the last', () => {
  const { planner, standings } = planning([
    route('m', 'fallback', at('sick', dollars(1, 1)), at('well', dollars(1, 1))),
    route('alone', 'fallback', { ...at('sick', dollars(1, 1)), id: 'alone@sick' }),
  ])
  fail(standings, 'm@sick')
  fail(standings, 'alone@sick')
  expect(planner.plan(aCall({ model: 'm' })).plan.map(({ id }) => id)).toEqual(['m@well', 'm@well'])
  expect(planner.plan(aCall({ model: 'alone' })).plan[0].id).toBe('alone@sick')
  expect(planner.explain(aCall({ model: 'm' })).candidates).toMatchObject([
    { breaker: 'open', removedBy: { filter: 'breaker' } },
    { breaker: 'closed', removedBy: undefined },
  ])
})

test('a deployment that lacks a feature or enough context is left out', () => {
  const { planner } = planning([
    route(
      'm',
      'fallback',
      at('mute', dollars(1, 1), { traits: { tools: false } }),
      at('small', dollars(1, 1), { traits: { contextTokens: 50 } }),
      at('able', dollars(1, 1)),
    ),
  ])
  const tools = [{ type: 'function', function: { name: 'f' } }]
  const messages = [{ role: 'user', content: 'word '.repeat(200) }]
  const call = aCall({ model: 'm', kind: 'chat', body: { model: 'm', messages, tools } })
  expect(planner.plan(call).plan[0].upstream.name).toBe('able')
  const filters = planner.explain(call).candidates.map(({ removedBy }) => removedBy?.filter)
  expect(filters).toEqual(['tools', 'context', undefined])
})

test('a caller stays where the prompt is cached, if that is cheaper', () => {
  const cached: Price = { ...dollars(1.2, 1), cachedInputNanoUsdPerMillion: 1e8 }
  const { planner } = planning([route('m', 'cheapest', at('plain', dollars(1, 1)), at('caching', cached))])
  const call = aCall({ model: 'm', body: { model: 'm', prompt: 'word '.repeat(2000), max_tokens: 5 } })
  const planned = planner.plan(call)
  expect(planned.plan[0].upstream.name).toBe('plain')
  planned.learn({ prompt_tokens: 2000, completion_tokens: 5, total_tokens: 2005 }, false, 'm@caching')
  expect(planner.plan(call).plan[0].upstream.name).toBe('caching')
})

test('savings are measured against the baseline, else the first deployment', () => {
  const [a, b] = [at('a', dollars(2, 2)), at('b', dollars(1, 1))]
  const { planner } = planning([
    route('m', 'cheapest', a, b),
    { ...route('n', 'cheapest', a, b), baseline: b },
  ])
  expect(planner.plan(aCall({ model: 'm' })).baseline).toBe(a)
  expect(planner.plan(aCall({ model: 'n' })).baseline).toBe(b)
})

describe('a deployment whose price depends on the model', () => {
  const priceOf = new Map([
    ['dear', dollars(3, 3)],
    ['fair', dollars(2, 2)],
  ])
  const byModel = (name: string) => {
    const made = new Map<string, Deployment>()
    const whole = at(name, unknownPrice)
    const forModel = (model: string) => {
      const price = priceOf.get(model) ?? unknownPrice
      const named = made.get(model) ?? { ...whole, upstreamModel: model, price }
      made.set(model, named)
      return named
    }
    return { ...whole, forModel }
  }
  const flat = at('flat', dollars(2.5, 2.5))
  const [alone, first, second] = [byModel('alone'), byModel('first'), byModel('second')]
  const { planner } = planning([
    route('alone-*', 'fallback', alone),
    route('*', 'cheapest', first, flat),
    { ...route('odd', 'cheapest', flat, second), baseline: second },
  ])

  test('is weighed, tried, compared and explained at the price of the requested model', () => {
    for (const [model, names] of [
      ['dear', ['flat', 'first']],
      ['fair', ['first', 'flat']],
    ] as const) {
      const { plan, baseline } = planner.plan(aCall({ model }))
      expect(plan.slice(0, 2).map(({ upstream }) => upstream.name)).toEqual(names)
      expect(plan.find(({ upstream }) => upstream.name === 'first')).toBe(baseline)
      expect(baseline).toMatchObject({ upstreamModel: model, price: priceOf.get(model) })
      const [explained] = planner.explain(aCall({ model })).candidates
      expect(explained).toMatchObject({ upstreamModel: model, expectedNanoUsd: expect.any(Number) })
    }
  })

  test('is tried at the price and under the name of the fallback model', () => {
    const asked = aCall({ model: 'dear', steering: { ...steering, models: ['fair'], only: ['first'] } })
    const prices = new Set(planner.plan(asked).plan.map(({ price }) => price))
    expect(prices).toEqual(new Set([priceOf.get('dear'), priceOf.get('fair')]))
  })

  test('has that price as the baseline', () => {
    expect(planner.plan(aCall({ model: 'odd' })).baseline).toBe(second.forModel('odd'))
  })

  test('is compared with a cap by that price', () => {
    const capped = { ...steering, only: ['first'], maxPrice: { inputNanoUsdPerMillion: 2e9 } }
    const plan = (model: string) => planner.plan(aCall({ model, steering: capped })).plan[0].price
    expect(plan('fair')).toBe(priceOf.get('fair'))
    for (const model of ['dear', 'unheard-of']) {
      expect(() => plan(model)).toThrow(expect.objectContaining({ param: 'provider.max_price' }))
    }
  })

  test('is planned once per model if there is no choice', () => {
    const [one, again, other] = ['alone-a', 'alone-a', 'alone-b'].map((model) =>
      planner.plan(aCall({ model })),
    )
    expect(again).toBe(one)
    expect(one?.plan[0]).toBe(alone.forModel('alone-a'))
    expect(one?.baseline).toBe(one?.plan[0])
    expect(other?.plan[0]).toBe(alone.forModel('alone-b'))
  })
})

function route(pattern: string, strategy: Route['strategy'], ...deployments: readonly Deployment[]): Route {
  return { pattern, strategy, deployments }
}

function at(name: string, price: Price, change: Partial<Deployment> = {}): Deployment {
  const upstream = scriptedUpstream([[]], { name })
  return aDeployment(upstream, { id: `m@${name}`, price, ...change })
}

/** USD per million tokens, in and out. */
function dollars(input: number, output: number): Price {
  return { ...unknownPrice, inputNanoUsdPerMillion: input * 1e9, outputNanoUsdPerMillion: output * 1e9 }
}

function fail(standings: ReturnType<typeof planning>['standings'], id: string): void {
  const failure = new Failure('unreachable', 'Gone.')
  const ending = { failure, firstTokenMs: undefined, completionTokens: undefined, durationMs: 1 }
  for (let turn = 0; turn < 10; turn++) standings.trackOf({ id }).insist().end(ending)
}
