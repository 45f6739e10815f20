import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Deployment } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import type { StrategyName } from '../../../src/core/model/terms.ts'
import { answered } from '../../harness/core/health-snapshot.ts'
import type { CallChange } from '../../harness/core/json-text.ts'
import { planning } from '../../harness/routing.ts'
import { aCall, aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const strategies: readonly StrategyName[] = [
  'first',
  'fallback',
  'weighted',
  'cheapest',
  'fastest',
  'balanced',
]

/** Each is the best for some call, none for all. */
const deployments: readonly Deployment[] = [
  at('reader', dollars(1, 9), { traits: { contextTokens: 4000 } }),
  at('writer', dollars(6, 2), { traits: { tools: false } }),
  at('terse', dollars(5, 8), { traits: { maxOutputTokens: 20 } }),
  at('texts', dollars(2, 2), { upstream: scriptedUpstream([[]], { name: 'texts', kinds: ['text'] }) }),
  at('keyed', dollars(0.5, 0.5), {
    upstream: scriptedUpstream([[]], { name: 'keyed', admits: (credential) => credential === 'pk_own' }),
  }),
]

const bodies: fc.Arbitrary<CallChange> = fc
  .record({
    words: fc.constantFrom(1, 500, 6000),
    maxTokens: fc.constantFrom(10, 4000),
    n: fc.constantFrom(1, 3),
    tools: fc.constantFrom([], [{ type: 'function', function: { name: 'f' } }]),
    credential: fc.constantFrom(undefined, 'pk_own'),
  })
  .map(({ words, maxTokens, n, tools, credential }) => ({
    kind: 'chat',
    credential,
    body: {
      messages: [{ role: 'user', content: 'word '.repeat(words) }],
      ...{ max_tokens: maxTokens, n, tools },
    },
  }))

describe.for(strategies)('%s', (strategy) => {
  test.for([3, 5])('plans and explains a call the same after any other calls, among %i', (count) => {
    const routes = [{ pattern: 'm', strategy, deployments: deployments.slice(0, count) }]
    fc.assert(
      fc.property(fc.array(bodies, { minLength: 2, maxLength: 6 }), (changes) => {
        const { planner } = planning(routes)
        for (const change of changes) {
          const call = aCall({ model: 'm', ...change })
          const alone = planning(routes).planner
          expect(planned(() => planner.plan(call).plan)).toEqual(planned(() => alone.plan(call).plan))
          expect(planner.explain(call)).toEqual(alone.explain(call))
        }
      }),
      { numRuns: 40, seed: 1 },
    )
  })
})

test('an explanation does not change when other calls are planned', () => {
  const { planner } = planning([{ pattern: 'm', strategy: 'cheapest', deployments }])
  const explained = planner.explain(aCall({ model: 'm', body: { prompt: 'word '.repeat(900) } }))
  const { places, ...told } = explained
  const before = { ...structuredClone(told), places: [...places] }
  planner.plan(aCall({ model: 'm', body: { prompt: 'Hi.' } }))
  planner.explain(aCall({ model: 'm', body: { prompt: 'Hi.' } }))
  expect(explained).toEqual(before)
})

test('an event between two plans affects the second', () => {
  const { planner, standings } = planning([
    { pattern: 'm', strategy: 'cheapest', deployments: [at('a', dollars(1, 1)), at('b', dollars(2, 2))] },
  ])
  const first = () => planner.plan(aCall({ model: 'm' })).plan[0].id
  const ending = (failure: Failure) =>
    standings
      .trackOf({ id: 'm@a' })
      .insist()
      .end({ ...answered, failure })
  expect(first()).toBe('m@a')
  ending(new Failure('rate_limited', 'Slow down.', { retryAfterMs: 60_000 }))
  expect(first()).toBe('m@b')
})

test('nothing is cached for a model requested without a key', () => {
  const keyed = scriptedUpstream([[]], { name: 'keyed', admits: (credential) => credential === 'pk_own' })
  const byName = (id: string): Deployment => {
    const whole = aDeployment(keyed, { id })
    return { ...whole, forModel: (model) => ({ ...whole, upstreamModel: model, madeFor: model }) }
  }
  const deployments = [byName('*@one'), byName('*@other')]
  const { planner } = planning([{ pattern: '*', strategy: 'cheapest', deployments }])
  expect(() => planner.plan(aCall({ model: 'made-up' }))).toThrow(Failure)
  expect(planner.deployments().map(({ model }) => model)).toEqual([undefined, undefined])
  planner.plan(aCall({ model: 'asked', credential: 'pk_own' }))
  expect(planner.deployments().map(({ model }) => model)).toEqual([undefined, 'asked', undefined, 'asked'])
})

function planned(plan: () => readonly Deployment[]): readonly string[] | string {
  try {
    return plan().map(({ id }) => id)
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return thrown.message
  }
}

function at(name: string, price: Price, change: Partial<Deployment> = {}): Deployment {
  const upstream = scriptedUpstream([[]], { name })
  return aDeployment(upstream, { id: `m@${name}`, price, ...change })
}

/** USD per million tokens, in and out. */
function dollars(input: number, output: number): Price {
  return { ...unknownPrice, inputNanoUsdPerMillion: input * 1e9, outputNanoUsdPerMillion: output * 1e9 }
}
