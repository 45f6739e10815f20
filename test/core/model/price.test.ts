import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Consumption,
  costNanoUsd,
  nanoUsd,
  type Price,
  roundedNanoUsd,
  unknownPrice,
  usdText,
} from '../../../src/core/model/price.ts'

const used = (promptTokens: number, completionTokens: number, cachedTokens = 0): Consumption => ({
  promptTokens,
  cachedTokens,
  completionTokens,
  workedMs: undefined,
})

/** By the million: input, output, cached input. */
const tokens = (input?: number, output?: number, cached?: number): Price => ({
  inputNanoUsdPerMillion: input,
  cachedInputNanoUsdPerMillion: cached,
  outputNanoUsdPerMillion: output,
  nanoUsdPerSecond: undefined,
})

const perSecond = (nano: number): Price => ({ ...unknownPrice, nanoUsdPerSecond: nano })

describe('a cost', () => {
  test.for<[string, Price, Consumption, number | undefined]>([
    ['is by the token', tokens(880_000_000, 880_000_000), used(1000, 500), 1_320_000],
    ['is of input and output apart', tokens(170_000_000, 250_000_000), used(1, 1), 420],
    ['is 0 if the price is 0', tokens(0, 0), used(1000, 1000), 0],
    ['has half a nano-USD upwards', tokens(500_000, 0), used(1, 0), 1],
    ['has less than half a nano-USD downwards', tokens(499_999, 0), used(1, 0), 0],
    ['is rounded once: two halves make a whole', tokens(500_000, 500_000), used(1, 1), 1],
    ['is less for cached tokens', tokens(3_000_000_000, 0, 300_000_000), used(10, 0, 4), 19_200],
    ['is 0 for cached tokens that are free', tokens(3_000_000_000, 0, 0), used(10, 0, 10), 0],
    ['is the usual one for cached tokens without a price', tokens(1_000_000_000, 0), used(10, 0, 4), 10_000],
    ['counts at most the prompt tokens as cached', tokens(1_000_000, 0, 500_000_000), used(2, 0, 9), 1000],
    ['takes nothing off for a negative count', tokens(1_000_000, 1_000_000), used(-5, 3, -1), 3],
    ['is unknown at an unknown price', unknownPrice, used(1, 1), undefined],
    ['is unknown at an unknown price, even of nothing', unknownPrice, used(0, 0), undefined],
    ['is unknown without a price of input', tokens(undefined, 5), used(1, 1), undefined],
    ['is unknown without a price of output', tokens(5, undefined), used(1, 1), undefined],
    ['needs no output price without output', tokens(20_000_000), used(50, 0), 1000],
    ['needs no input price without input', tokens(undefined, 20_000_000), used(0, 50), 1000],
    ['is by the second', perSecond(310_000), { ...used(9, 9), workedMs: 1437 }, 445_470],
    ['is of whole milliseconds', perSecond(1_000_000), { ...used(9, 9), workedMs: 1.6 }, 2000],
    ['is unknown if the seconds are', perSecond(310_000), used(9, 9), undefined],
    ['is per second only if both are known', { ...tokens(5, 5), nanoUsdPerSecond: 0 }, at(1000), 0],
    ['has a charge for the request', { ...tokens(1_000_000, 0), nanoUsdPerRequest: 70 }, used(3, 0), 73],
    ['has it in addition to the seconds', { ...perSecond(1000), nanoUsdPerRequest: 70 }, at(2000), 2070],
    ['is not known by that charge alone', { ...unknownPrice, nanoUsdPerRequest: 70 }, used(3, 0), undefined],
  ])('%s', ([, price, consumption, cost]) => {
    expect(costNanoUsd(price, consumption)).toBe(cost)
  })

  const amount = fc.nat(50_000_000_000)
  const count = fc.nat(10_000_000)

  test('is the exact sum of fractions, rounded', () => {
    fc.assert(
      fc.property(
        amount,
        amount,
        amount,
        count,
        count,
        count,
        (input, output, cached, prompt, seen, made) => {
          const cachedTokens = Math.min(seen, prompt)
          const cost = costNanoUsd(tokens(input, output, cached), used(prompt, made, cachedTokens))
          const millionths =
            BigInt(prompt - cachedTokens) * BigInt(input) +
            BigInt(cachedTokens) * BigInt(cached) +
            BigInt(made) * BigInt(output)
          // The nearest whole number: no other is as near, but for a half, which goes up.
          const twice = 2n * (BigInt(cost ?? -1) * 1_000_000n - millionths)
          expect(twice).toBeGreaterThan(-1_000_000n)
          expect(twice).toBeLessThanOrEqual(1_000_000n)
        },
      ),
    )
  })

  test('of several attempts adds up to the cost of their total usage, to half a nano-USD each', () => {
    const attempts = fc.array(fc.tuple(count, count), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(amount, amount, attempts, (input, output, pairs) => {
        const price = tokens(input, output)
        const apart = pairs.map(([prompt, made]) => BigInt(costNanoUsd(price, used(prompt, made)) ?? -1))
        const sum = apart.reduce((total, each) => total + each, 0n)
        const millionths = pairs.reduce(
          (total, [prompt, made]) => total + BigInt(prompt) * BigInt(input) + BigInt(made) * BigInt(output),
          0n,
        )
        const off = 2n * (sum * 1_000_000n - millionths)
        expect(off < 0n ? -off : off).toBeLessThanOrEqual(1_000_000n * BigInt(pairs.length))
      }),
    )
  })

  test('of prices in whole USD per million tokens is exact, and so is any sum of them', () => {
    const whole = fc.nat(10_000).map((thousands) => thousands * 1_000_000)
    fc.assert(
      fc.property(
        whole,
        whole,
        fc.array(fc.tuple(count, count), { maxLength: 8 }),
        (input, output, pairs) => {
          const costs = pairs.map(
            ([prompt, made]) => costNanoUsd(tokens(input, output), used(prompt, made)) ?? -1,
          )
          const prompt = pairs.reduce((total, [each]) => total + each, 0)
          const made = pairs.reduce((total, [, each]) => total + each, 0)
          expect(costs.reduce((total, cost) => total + cost, 0)).toBe(
            costNanoUsd(tokens(input, output), used(prompt, made)),
          )
        },
      ),
    )
  })
})

describe('decimal text of USD', () => {
  test.for<[string, number, number]>([
    ['0.88', 1, 880_000_000],
    ['0', 1, 0],
    ['3', 1, 3_000_000_000],
    ['0.000000001', 1, 1],
    ['0.0000000010', 1, 1],
    ['0.0000001', 1_000_000, 100_000_000],
    ['0.00000088', 1_000_000, 880_000_000],
    ['6e-7', 1_000_000, 600_000_000],
    ['2.5E+1', 1, 25_000_000_000],
    ['0.00016', 1, 160_000],
    ['0.0002', 1000, 200_000_000],
  ])('%s times %i is %i nano-USD', ([text, scale, nano]) => {
    expect(nanoUsd(text, scale)).toBe(nano)
  })

  test.for([
    '',
    'free',
    '-1',
    '+1',
    '.5',
    '1.',
    '1,5',
    '$1',
    ' 1',
    '0x10',
    'NaN',
    'Infinity',
    '1e1000',
    '0.0000000001',
    '0.25999999999999995',
    '1e-10',
    '9007200',
    '1e30',
    '9'.repeat(1000),
  ])('%s is refused', (text) => {
    expect(() => nanoUsd(text)).toThrow(RangeError)
  })

  test('of any whole number of nano-USD is read as that number', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (nano) => {
        expect(nanoUsd(usdText(nano))).toBe(nano)
      }),
    )
  })
})

describe('a number of USD from JSON', () => {
  test.for<[number, number, number]>([
    [0.25999999999999995, 1, 260_000_000],
    [1.0399999999999998, 1, 1_040_000_000],
    [0.030000000000000002, 1, 30_000_000],
    [6e-7, 1_000_000, 600_000_000],
    [1.8e-7, 1_000_000, 180_000_000],
    [0, 1, 0],
    [15, 1, 15_000_000_000],
  ])('%f times %i is %i nano-USD', ([usd, scale, nano]) => {
    expect(roundedNanoUsd(usd, scale)).toBe(nano)
  })

  test.for([-1, -1e-12, Number.NaN, Number.POSITIVE_INFINITY, 1e300])('%f is refused', (usd) => {
    expect(() => roundedNanoUsd(usd)).toThrow(RangeError)
  })

  test('is the same as its decimal text', () => {
    fc.assert(
      fc.property(fc.nat(50_000_000), (micro) => {
        expect(roundedNanoUsd(micro / 1e6)).toBe(micro * 1000)
      }),
    )
  })
})

test.for<[number | bigint, string]>([
  [0, '0.000000000'],
  [1, '0.000000001'],
  [-1_500_000n, '-0.001500000'],
  [12_000_000_000n, '12.000000000'],
])('%d nano-USD are written as %s', ([nano, text]) => {
  expect(usdText(nano)).toBe(text)
})

function at(workedMs: number): Consumption {
  return { ...used(7, 7), workedMs }
}
