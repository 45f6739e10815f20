import { expect, test } from 'vitest'
import { type ListedPrice, priceOf } from '../../src/catalog/listed-price.ts'
import { type Price, unknownPrice } from '../../src/core/model/price.ts'

const half = { inputNanoUsdPerMillion: 150_000_000, outputNanoUsdPerMillion: 600_000_000 }

test.for<[string, ListedPrice, Partial<Price>]>([
  ['by the million', { unit: 'usd_per_million_tokens', input: '0.15', output: '0.60' }, half],
  ['by the thousand', { unit: 'usd_per_thousand_tokens', input: '0.00015', output: '0.0006' }, half],
  ['by the token', { unit: 'usd_per_token', input: '0.00000015', output: '6e-7' }, half],
  ['by the token, as numbers', { unit: 'usd_per_token', input: 1.5e-7, output: 6e-7 }, half],
  [
    'as numbers somebody calculated',
    {
      unit: 'usd_per_million_tokens',
      input: 0.25999999999999995,
      cachedInput: 0.060000000000000005,
      output: 0.5900000000000001,
    },
    {
      inputNanoUsdPerMillion: 260_000_000,
      cachedInputNanoUsdPerMillion: 60_000_000,
      outputNanoUsdPerMillion: 590_000_000,
    },
  ],
  [
    'of input alone',
    { unit: 'usd_per_million_tokens', input: '0.02' },
    { inputNanoUsdPerMillion: 20_000_000 },
  ],
  [
    'of nothing',
    { unit: 'usd_per_token', input: 0, output: '0' },
    { inputNanoUsdPerMillion: 0, outputNanoUsdPerMillion: 0 },
  ],
  [
    'with a charge for the request, which is in USD whatever the tokens are in',
    { unit: 'usd_per_token', input: '0', output: '0', request: '0.0025' },
    { inputNanoUsdPerMillion: 0, outputNanoUsdPerMillion: 0, nanoUsdPerRequest: 2_500_000 },
  ],
  ['by the second', { unit: 'usd_per_second', work: '0.00116' }, { nanoUsdPerSecond: 1_160_000 }],
  ['by the hour, to the nearest', { unit: 'usd_per_hour', work: '6.50' }, { nanoUsdPerSecond: 1_805_556 }],
])('a price %s is whole nano-USD', ([, listed, price]) => {
  expect(priceOf(listed)).toEqual({ ...unknownPrice, ...price })
})

test.for<[string, ListedPrice]>([
  ['finer than a nano-USD', { unit: 'usd_per_million_tokens', input: '0.25999999999999995' }],
  ['negative', { unit: 'usd_per_million_tokens', input: -1 }],
  ['no number', { unit: 'usd_per_second', work: 'free' }],
])('a price that is %s is refused', ([, listed]) => {
  expect(() => priceOf(listed)).toThrow(RangeError)
})
