import { describe, expect, test } from 'vitest'
import { createHealthRegistry, type HealthRegistry } from '../../../src/core/health/health-registry.ts'
import type { Ending } from '../../../src/core/health/permit.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Deployment, Random } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import type { StrategyName } from '../../../src/core/model/terms.ts'
import { createPlanner, type Planner } from '../../../src/core/plan/planner.ts'
import { createRouter } from '../../../src/core/plan/router.ts'
import { type HandClock, handClock, seeded } from '../../harness/core/pool.ts'
import { aCall, aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const ofTokens = dollars(0.88, 0.88)
/** Per second: at 256 tokens a second, a tenth of what the tokens cost elsewhere, or ten times that. */
const cheapSecond: Price = { ...unknownPrice, nanoUsdPerSecond: 22_000 }
const dearSecond: Price = { ...unknownPrice, nanoUsdPerSecond: 2_200_000 }

const whole: Ending = { failure: undefined, firstTokenMs: undefined, completionTokens: 256, durationMs: 1000 }

const strategies: readonly StrategyName[] = ['cheapest', 'balanced', 'value']

describe.for(strategies)('%s, with one deployment billed per token and one per second', (strategy) => {
  test.for<[string, Price, number, number]>([
    ['cheap', cheapSecond, 0.95, 1],
    ['dear', dearSecond, 0.001, 0.08],
  ])('gives the one per second its share if it is %s', ([_, price, least, most]) => {
    const scene = aScene(strategy, price)
    const share = scene.shareOf('seconds', 1000, whole)
    expect(share).toBeGreaterThanOrEqual(least)
    expect(share).toBeLessThanOrEqual(most)
  })

  test('sends it the first call, and no concurrent ones until it is measured', () => {
    const scene = aScene(strategy, dearSecond, () => 0.5)
    expect(scene.first()).toBe('seconds')
    const permit = scene.standings.trackOf({ id: 'm@seconds' }).insist()
    expect(scene.first()).toBe('tokens')
    permit.end(whole)
    expect(scene.first()).toBe('tokens')
  })

  test('sends it only an occasional call if that one failed', () => {
    const scene = aScene(strategy, cheapSecond)
    const failure = new Failure('overloaded', 'It sleeps.')
    scene.standings
      .trackOf({ id: 'm@seconds' })
      .insist()
      .end({ ...whole, failure })
    const firsts = Array.from({ length: 2000 }, () => scene.first())
    const share = firsts.filter((name) => name === 'seconds').length / firsts.length
    expect(share).toBeGreaterThan(0.01)
    expect(share).toBeLessThan(0.03)
  })

  test('still prefers it after hours without a call, if it was cheap', () => {
    const scene = aScene(strategy, cheapSecond, () => 0.5)
    scene.shareOf('seconds', 5, whole)
    scene.clock.move(10 * 3_600_000)
    expect(scene.first()).toBe('seconds')
  })

  test('measures it again after hours, though it was expensive', () => {
    const scene = aScene(strategy, dearSecond)
    scene.shareOf('seconds', 5, whole)
    scene.clock.move(10 * 3_600_000)
    const quick = { ...whole, durationMs: 1 }
    expect(scene.shareOf('seconds', 1000, quick)).toBeGreaterThan(0.8)
  })
})

test('the cost of embeddings per second is known from their duration, without counted tokens', () => {
  const scene = aScene('cheapest', cheapSecond, () => 0.5)
  const call = aCall({ model: 'm', body: { model: 'm', input: 'word '.repeat(50) } })
  const relay = { ...call, kind: 'embeddings' as const }
  scene.standings
    .trackOf({ id: 'm@seconds' })
    .insist()
    .end({ ...whole, completionTokens: 0, durationMs: 100 })
  const [, seconds] = scene.planner.explain(relay).candidates
  expect(seconds).toMatchObject({ deployment: 'm@seconds', expectedNanoUsd: 2200 })
})

describe('several choices', () => {
  test('are each limited to the maximum of one answer', () => {
    const bounded = at('bounded', dollars(1, 1), { traits: { maxOutputTokens: 100 } })
    const free = at('free', dollars(1, 1))
    const planner = plannerOf('cheapest', [bounded, free], () => 0.5)
    const costs = (n: number) => {
      const body = { model: 'm', n, messages: [{ role: 'user', content: 'Hi.' }] }
      const explained = planner.explain(aCall({ model: 'm', kind: 'chat', body }))
      return explained.candidates.map(
        ({ expectedNanoUsd = 0 }) => expectedNanoUsd - explained.promptTokens * 1000,
      )
    }
    expect(costs(1)).toEqual([100_000, 256_000])
    expect(costs(4)).toEqual([400_000, 1_024_000])
  })
})

test('prices and limits are read again after a second', () => {
  const clock = handClock()
  let terms: Pick<Deployment, 'price' | 'traits'> = { price: dollars(1, 1), traits: {} }
  const changing = {
    ...at('changing', unknownPrice),
    get price() {
      return terms.price
    },
    get traits() {
      return terms.traits
    },
  }
  const planner = plannerOf('cheapest', [changing, at('fixed', dollars(2, 2))], () => 0.5, clock)
  const plan = (prompt: string) =>
    planner.plan(aCall({ model: 'm', body: { model: 'm', prompt } })).plan[0].id
  expect(plan('Hi.')).toBe('m@changing')
  terms = { price: dollars(3, 3), traits: {} }
  clock.move(1000)
  expect(plan('Hi.')).toBe('m@fixed')
  terms = { price: dollars(1, 1), traits: { contextTokens: 500 } }
  clock.move(1000)
  expect(plan('Hi.')).toBe('m@changing')
  expect(plan('word '.repeat(1000))).toBe('m@fixed')
})

type Scene = {
  readonly planner: Planner
  readonly standings: HealthRegistry
  readonly clock: HandClock
  /** The deployment where a call is tried first. */
  first(): string
  /** The share of these calls, one per second, all with this outcome, that went there first. */
  shareOf(name: string, calls: number, ending: Ending): number
}

/** The model at `tokens`, billed per token, and at `seconds`. */
function aScene(strategy: StrategyName, price: Price, random: Random = seeded(17)): Scene {
  const clock = handClock()
  const deployments = [at('tokens', ofTokens), at('seconds', price)]
  const standings = standingsOf(deployments, clock)
  const planner = plannerOf(strategy, deployments, random, clock, standings)
  const first = () => planner.plan(aCall({ model: 'm' })).plan[0].upstream.name
  return {
    ...{ planner, standings, clock, first },
    shareOf(name, calls, ending) {
      let count = 0
      for (let call = 0; call < calls; call++) {
        const tried = first()
        if (tried === name) count++
        standings
          .trackOf({ id: `m@${tried}` })
          .insist()
          .end(ending)
        clock.move(1000)
      }
      return count / calls
    },
  }
}

function standingsOf(deployments: readonly Deployment[], clock: HandClock): HealthRegistry {
  return createHealthRegistry(
    deployments.map(({ id }) => id),
    clock,
    () => 0.5,
  )
}

function plannerOf(
  strategy: StrategyName,
  deployments: readonly Deployment[],
  random: Random,
  clock = handClock(),
  standings = standingsOf(deployments, clock),
): Planner {
  const router = createRouter([{ pattern: 'm', strategy, deployments }])
  return createPlanner({ router, standings, stickiness: undefined, attempts: undefined, clock, random })
}

function at(name: string, price: Price, change: Partial<Deployment> = {}): Deployment {
  return aDeployment(scriptedUpstream([[]], { name }), { id: `m@${name}`, price, ...change })
}

/** USD per million tokens, in and out. */
function dollars(input: number, output: number): Price {
  return { ...unknownPrice, inputNanoUsdPerMillion: input * 1e9, outputNanoUsdPerMillion: output * 1e9 }
}
