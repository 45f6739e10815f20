import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Traits } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import {
  CandidateSlot,
  copyOf,
  type Expected,
  type SlotEstimate,
} from '../../../src/core/plan/candidate-slot.ts'
import { expectedNanoUsd } from '../../../src/core/plan/expected-cost.ts'
import { answered } from '../../harness/core/health-snapshot.ts'
import { handClock } from '../../harness/core/pool.ts'
import { aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const byToken: Price = {
  ...unknownPrice,
  inputNanoUsdPerMillion: 1e9,
  outputNanoUsdPerMillion: 4e9,
}
const some: Expected = { promptTokens: 100, completionTokens: 200, choices: 1 }

test('a slot has the expected cost of its price, of any form', () => {
  const amount = fc.option(fc.nat(5e9), { nil: undefined })
  const prices: fc.Arbitrary<Price> = fc.record({
    inputNanoUsdPerMillion: amount,
    cachedInputNanoUsdPerMillion: amount,
    outputNanoUsdPerMillion: amount,
    nanoUsdPerSecond: amount,
    nanoUsdPerRequest: amount,
  })
  fc.assert(
    fc.property(
      prices,
      fc.nat(1e6),
      fc.nat(1e5),
      fc.boolean(),
      (price, promptTokens, completionTokens, isTried) => {
        const { slot, track, estimate } = aSlot(price)
        if (isTried) track.insist().end(answered)
        slot.look(0)
        estimate.expected = { promptTokens, completionTokens, choices: 1 }
        const expected = { promptTokens, completionTokens, cachedTokens: 0 }
        expect(slot.expectedNanoUsd).toBe(expectedNanoUsd(price, expected, track.standing().pace))
      },
    ),
    { seed: 1 },
  )
})

test.for<[string, Traits, Expected, number]>([
  ['all that is expected', {}, some, 200],
  ['no more than the deployment can do', { maxOutputTokens: 100 }, some, 100],
  ['no more than is expected, where it can do more', { maxOutputTokens: 300 }, some, 200],
  ['the model’s maximum for each choice', { maxOutputTokens: 80 }, { ...some, choices: 2 }, 160],
])('a slot has the cost of %s', ([, traits, expected, tokens]) => {
  const { slot, estimate } = aSlot(byToken, traits)
  estimate.expected = expected
  expect(slot.expectedNanoUsd).toBe(100 * 1000 + tokens * 4000)
})

test('a slot has the standing that it last read, and reports when it changes', () => {
  const { slot, track } = aSlot(byToken)
  expect(slot.look(1000)).toBe(false)
  track
    .insist()
    .end({ ...answered, failure: new Failure('rate_limited', 'Slow down.', { retryAfterMs: 5000 }) })
  expect(slot.standing.share).toBe(1)
  expect(slot.look(1000)).toBe(true)
  expect(slot.standing).toBe(track.standing(1000))
  expect(slot.standing.share).toBe(0)
  expect(slot.look(1000)).toBe(false)
})

test('a copy keeps the values of the slot', () => {
  const { slot, estimate } = aSlot(byToken)
  estimate.expected = some
  const copy = copyOf(slot)
  estimate.expected = { ...some, promptTokens: 5000 }
  expect(copy.expectedNanoUsd).toBe(100 * 1000 + 200 * 4000)
  expect(slot.expectedNanoUsd).toBe(5000 * 1000 + 200 * 4000)
})

function aSlot(price: Price, traits: Traits = {}) {
  const deployment = aDeployment(scriptedUpstream([[]]), { price, traits })
  const track = createHealthRegistry([deployment.id], handClock(), () => 0).trackOf(deployment)
  const estimate: SlotEstimate = { expected: some }
  return { slot: new CandidateSlot(deployment, track, estimate), track, estimate }
}
