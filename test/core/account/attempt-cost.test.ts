import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  attemptNanoUsd,
  consumptionOf,
  type Spent,
  spendingOf,
} from '../../../src/core/account/attempt-cost.ts'
import { type Consumption, costNanoUsd, type Price, unknownPrice } from '../../../src/core/model/price.ts'
import type { Baseline } from '../../../src/core/model/record/record.ts'
import type { Usage } from '../../../src/core/model/terms.ts'

/** Nano-USD per token, in and out. */
const tokens = (input: number, output = input): Price => ({
  ...unknownPrice,
  inputNanoUsdPerMillion: input * 1e6,
  outputNanoUsdPerMillion: output * 1e6,
})
const seconds = (nano: number): Price => ({ ...unknownPrice, nanoUsdPerSecond: nano })

const used = (promptTokens: number, completionTokens: number, workedMs?: number): Consumption => ({
  promptTokens,
  cachedTokens: 0,
  completionTokens,
  workedMs,
})

const spent = (
  deployment: string,
  price: Price,
  consumed: Consumption | undefined,
  rest: Partial<Spent> = {},
): Spent => ({
  deployment,
  price,
  used: consumed,
  isEstimated: false,
  isDelivered: true,
  ...rest,
})
const undelivered = { isDelivered: false }
const guessed = { isEstimated: true }

const first = (price: Price, workedMs?: number): Baseline => ({ deployment: 'first', price, workedMs })

describe('a call', () => {
  test.for<[string, readonly Spent[], Baseline | undefined, (number | undefined)[]]>([
    ['elsewhere saves the difference', [spent('b', tokens(1), used(10, 5))], first(tokens(3)), [15, 45, 30]],
    [
      'at the baseline saves nothing',
      [spent('first', tokens(3), used(10, 5))],
      first(tokens(3)),
      [45, 45, 0],
    ],
    [
      'somewhere dearer saves less than nothing',
      [spent('b', tokens(5), used(10, 5))],
      first(tokens(3)),
      [75, 45, -30],
    ],
    ['that was free saves all', [spent('b', tokens(0), used(10, 5))], first(tokens(3)), [0, 45, 45]],
    [
      'pays for what failed, which the baseline would not have',
      [spent('b', tokens(1), used(10, 2), undelivered), spent('c', tokens(2), used(10, 5))],
      first(tokens(3)),
      [42, 45, 3],
    ],
    [
      'pays for what failed at the baseline, too',
      [spent('first', tokens(3), used(10, 0), undelivered), spent('c', tokens(2), used(10, 5))],
      first(tokens(3)),
      [60, 45, -15],
    ],
    [
      'pays nothing for a refusal, whatever the price',
      [spent('b', unknownPrice, undefined, undelivered), spent('c', tokens(2), used(10, 5))],
      first(tokens(3)),
      [30, 45, 15],
    ],
    [
      'in parts is the sum of its parts',
      [spent('b', tokens(1), used(10, 5)), spent('c', tokens(2), used(10, 5))],
      first(tokens(3)),
      [45, 90, 45],
    ],
    ['of no attempts costs nothing', [], first(tokens(3)), [0, 0, 0]],
    [
      'that failed for good has cost, and saved nothing',
      [spent('b', tokens(1), used(10, 5), undelivered)],
      first(tokens(3)),
      [15, 0, -15],
    ],
    [
      'at an unknown price is unknown',
      [spent('b', unknownPrice, used(10, 5))],
      first(tokens(3)),
      [undefined, 45, undefined],
    ],
    [
      'is unknown if a part of it is',
      [spent('b', unknownPrice, used(10, 0), undelivered), spent('c', tokens(2), used(10, 5))],
      first(tokens(3)),
      [undefined, 45, undefined],
    ],
    [
      'has an unknown saving at an unknown baseline',
      [spent('b', tokens(1), used(10, 5))],
      first(unknownPrice),
      [15, undefined, undefined],
    ],
    [
      'without a baseline has a cost alone',
      [spent('b', tokens(1), used(10, 5))],
      undefined,
      [15, undefined, undefined],
    ],
    [
      'paid by the second',
      [spent('b', seconds(1000), used(10, 5, 1500))],
      first(tokens(300)),
      [1500, 4500, 3000],
    ],
    [
      'against a baseline paid by the second',
      [spent('b', tokens(1), used(10, 5, 900))],
      first(seconds(1000), 2000),
      [15, 2000, 1985],
    ],
    [
      'against a baseline whose seconds are unknown',
      [spent('b', tokens(1), used(10, 5, 900))],
      first(seconds(1000)),
      [15, undefined, undefined],
    ],
    [
      'at a baseline paid by the second saves nothing',
      [spent('first', seconds(1000), used(10, 5, 900))],
      first(seconds(1000)),
      [900, 900, 0],
    ],
  ])('%s', ([, attempts, baseline, [cost, atBaseline, saved]]) => {
    expect(spendingOf(attempts, baseline)).toMatchObject({
      costNanoUsd: cost,
      baselineNanoUsd: atBaseline,
      savedNanoUsd: saved,
    })
  })

  test.for<[string, readonly Spent[], boolean]>([
    ['not if everything was reported', [spent('b', tokens(1), used(10, 5))], false],
    ['where the answer was counted here', [spent('b', tokens(1), used(10, 5), guessed)], true],
    [
      'where a failed attempt was counted here',
      [
        spent('b', tokens(1), used(10, 2), { ...undelivered, ...guessed }),
        spent('c', tokens(2), used(10, 5)),
      ],
      true,
    ],
    ['not if the tokens counted here are free', [spent('b', tokens(0), used(10, 5), guessed)], false],
    ['not if nothing was used', [spent('b', tokens(1), undefined, guessed)], false],
    ['where the price is unknown', [spent('b', unknownPrice, used(10, 5), guessed)], true],
  ])('is estimated %s', ([, attempts, isEstimated]) => {
    expect(spendingOf(attempts, undefined).isEstimated).toBe(isEstimated)
  })

  test('costs the exact sum of its attempts, and saves nothing if all ran at the baseline', () => {
    const price = fc.tuple(fc.nat(5e10), fc.nat(5e10)).map(([input, output]) => ({
      ...unknownPrice,
      inputNanoUsdPerMillion: input,
      outputNanoUsdPerMillion: output,
    }))
    const attempt = fc
      .tuple(price, fc.nat(1e6), fc.nat(1e6), fc.boolean())
      .map(([each, prompt, made, isDelivered]) => spent('b', each, used(prompt, made), { isDelivered }))
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 6 }), price, (attempts, there) => {
        const costs = attempts.map((each) => BigInt(attemptNanoUsd(each) ?? -1))
        const elsewhere = attempts
          .filter(({ isDelivered }) => isDelivered)
          .map((each) => BigInt(costNanoUsd(there, each.used ?? used(0, 0)) ?? -1))
        const sum = (amounts: readonly bigint[]) => Number(amounts.reduce((total, each) => total + each, 0n))
        const spending = spendingOf(attempts, first(there))
        expect(spending.costNanoUsd).toBe(sum(costs))
        expect(spending.baselineNanoUsd).toBe(sum(elsewhere))
        expect(spending.savedNanoUsd).toBe(sum(elsewhere) - sum(costs))
      }),
    )
  })
})

describe('cached tokens', () => {
  const usage = (extra: object): Usage => ({
    prompt_tokens: 86,
    completion_tokens: 54,
    total_tokens: 140,
    ...extra,
  })
  test.for<[string, object, number]>([
    ['among the details', { prompt_tokens_details: { audio_tokens: 0, cached_tokens: 64 } }, 64],
    ['beside the counts', { cached_tokens: 32 }, 32],
    ['under DeepSeek’s name', { prompt_cache_hit_tokens: 16, prompt_cache_miss_tokens: 70 }, 16],
    [
      'in two places, the details first',
      { prompt_tokens_details: { cached_tokens: 0 }, cached_tokens: 32 },
      0,
    ],
    [
      'beside details that do not tell',
      { prompt_tokens_details: { audio_tokens: 0 }, cached_tokens: 32 },
      32,
    ],
    ['beside details that are null', { prompt_tokens_details: null, cached_tokens: 32 }, 32],
    ['nowhere', {}, 0],
    ['as null', { cached_tokens: null }, 0],
    ['as something else', { cached_tokens: '32' }, 0],
    ['below nothing', { cached_tokens: -4 }, 0],
    ['more than there are prompt tokens', { cached_tokens: 900 }, 86],
  ])('are read %s', ([, extra, cachedTokens]) => {
    expect(consumptionOf(usage(extra), 120)).toEqual({
      promptTokens: 86,
      cachedTokens,
      completionTokens: 54,
      workedMs: 120,
    })
  })
})
