import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pace } from '../../../src/core/health/observations.ts'
import { costNanoUsd, type Price, unknownPrice } from '../../../src/core/model/price.ts'
import { type Expectation, expectedNanoUsd } from '../../../src/core/plan/expected-cost.ts'

const expecting = (
  promptTokens: number,
  completionTokens: number,
  rest: Partial<Expectation> = {},
): Expectation => ({
  promptTokens,
  cachedTokens: 0,
  completionTokens,
  ...rest,
})

/** USD per million. */
const tokens = (input?: number, output?: number, cached?: number): Price => ({
  inputNanoUsdPerMillion: input && input * 1e9,
  cachedInputNanoUsdPerMillion: cached && cached * 1e9,
  outputNanoUsdPerMillion: output && output * 1e9,
  nanoUsdPerSecond: undefined,
})

const gpu: Price = { ...unknownPrice, nanoUsdPerSecond: 310_000 }
const measured: Pace = { firstTokenMs: 500, tokensPerSecond: 50, answerMs: 4000, workedShare: 1 }

test.for<[string, Price, Expectation, number | undefined, Pace?]>([
  ['by the token', tokens(1, 2), expecting(1000, 100), 1_200_000],
  ['with fractions of a nano-USD', tokens(0.0001, 0), expecting(1, 0), 0.1],
  ['less for what is cached', tokens(3, 15, 0.3), expecting(1000, 0, { cachedTokens: 600 }), 1_380_000],
  [
    'the same for what is cached, where that has no price',
    tokens(3, 15),
    expecting(1000, 0, { cachedTokens: 600 }),
    3_000_000,
  ],
  ['no more cached than there is', tokens(3, 15, 0.3), expecting(10, 0, { cachedTokens: 600 }), 3000],
  ['nothing where it is free', tokens(0, 0), expecting(1000, 100), 0],
  ['not known without a price of input', tokens(undefined, 2), expecting(1000, 100), undefined],
  ['not known without a price of output', tokens(1), expecting(1000, 100), undefined],
  ['of input alone, where no output is expected', tokens(1), expecting(1000, 0), 1_000_000],
  ['not known without any', unknownPrice, expecting(1000, 100), undefined],
  ['not known without any, even of nothing', unknownPrice, expecting(0, 0), undefined],
  ['by the seconds that it takes', gpu, expecting(1000, 100), 775_000, measured],
  [
    'by the part of them that is charged',
    gpu,
    expecting(1000, 100),
    387_500,
    { ...measured, workedShare: 0.5 },
  ],
  ['not known while no answer was measured', gpu, expecting(9, 9), undefined],
  [
    'by the seconds that whole answers take',
    gpu,
    expecting(1000, 100),
    620_000,
    { ...measured, firstTokenMs: undefined },
  ],
  [
    'by what answers take on average, where nobody counts their tokens',
    gpu,
    expecting(1000, 100),
    1_240_000,
    { ...measured, tokensPerSecond: undefined },
  ],
  ['by what answers take on average, where they bring forth none', gpu, expecting(9, 0), 1_240_000, measured],
  ['by the request, too', { ...tokens(1, 1), nanoUsdPerRequest: 5 }, expecting(1, 0), 1005],
  [
    'by the request beside the seconds',
    { ...gpu, nanoUsdPerRequest: 5 },
    expecting(1, 100),
    775_005,
    measured,
  ],
])('a call is expected to cost %s', ([, price, expected, nano, pace]) => {
  const cost = expectedNanoUsd(price, expected, pace)
  if (nano === undefined) expect(cost).toBeUndefined()
  else expect(cost).toBeCloseTo(nano, 6)
})

test('the expected cost is the actual cost, if the call goes as expected', () => {
  const amount = fc.nat(20_000)
  fc.assert(
    fc.property(
      amount,
      amount,
      amount,
      fc.nat(200_000),
      fc.nat(200_000),
      fc.nat(20_000),
      (input, output, cached, prompt, seen, made) => {
        const price = tokens(input / 1000, output / 1000, cached / 1000)
        const cachedTokens = Math.min(seen, prompt)
        const used = { promptTokens: prompt, cachedTokens, completionTokens: made, workedMs: undefined }
        const expected = expectedNanoUsd(price, expecting(prompt, made, { cachedTokens }), undefined)
        expect(Math.abs((expected ?? -9) - (costNanoUsd(price, used) ?? -99))).toBeLessThan(1)
      },
    ),
  )
})

describe('of two whose prices cross', () => {
  const cheapToRead = tokens(0.1, 4)
  const cheapToWrite = tokens(1, 1)
  const cheapest = (expected: Expectation) => {
    const costs = [cheapToRead, cheapToWrite].map(
      (price) => expectedNanoUsd(price, expected, undefined) ?? Number.NaN,
    )
    return costs.indexOf(Math.min(...costs)) === 0 ? 'cheap to read' : 'cheap to write'
  }

  test.for<[string, string, Expectation]>([
    ['a long prompt with a short answer', 'cheap to read', expecting(20_000, 100)],
    ['a short prompt with a long answer', 'cheap to write', expecting(100, 2000)],
    ['a chat in between, that is more read', 'cheap to read', expecting(3400, 1000)],
    ['a chat in between, that is more written', 'cheap to write', expecting(3200, 1000)],
  ])('%s goes to the one that is %s', ([, to, expected]) => {
    expect(cheapest(expected)).toBe(to)
  })

  test('one billed per second is for long prompts with fast, short answers', () => {
    const perToken = tokens(0.5, 0.5)
    const cost = (price: Price, expected: Expectation) =>
      expectedNanoUsd(price, expected, measured) ?? Number.NaN
    const long = expecting(20_000, 50)
    const short = expecting(50, 500)
    expect(cost(gpu, long)).toBeLessThan(cost(perToken, long))
    expect(cost(gpu, short)).toBeGreaterThan(cost(perToken, short))
  })
})
