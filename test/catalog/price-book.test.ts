import { describe, expect, test } from 'vitest'
import { createPriceBook, type PriceEntry } from '../../src/catalog/price-book.ts'
import type { UpstreamModel } from '../../src/core/ports.ts'
import { type Price, unknownPrice } from '../../src/core/price.ts'

const together = { name: 'together-eu', list: 'together' }
const november = Date.parse('2026-11-23')

const entry = (usd: string, rest: Partial<PriceEntry> = {}): PriceEntry => ({
  provider: 'together',
  model: 'llama',
  price: { unit: 'usd_per_million_tokens', input: usd, output: usd },
  source: `says ${usd}`,
  ...rest,
})

const own = (usd: string, rest: Partial<PriceEntry> = {}) => entry(usd, { provider: 'together-eu', ...rest })

const priced = (usd: number): Price => ({
  ...unknownPrice,
  inputNanoUsdPerMillion: usd * 1e9,
  outputNanoUsdPerMillion: usd * 1e9,
})

const listed = (id: string, price: Price): UpstreamModel => ({ id, contextTokens: 8192, price })

describe('the price in force', () => {
  const raised = [
    entry('3', { from: '2026-10-01' }),
    entry('1', { from: '2026-03-01' }),
    entry('2', { from: '2026-08-18', until: '2026-09-01' }),
  ]
  test.for<[string, Price]>([
    ['2026-02-28T23:59:59.999Z', unknownPrice],
    ['2026-03-01T00:00:00.000Z', priced(1)],
    ['2026-08-17T23:59:59.999Z', priced(1)],
    ['2026-08-18T00:00:00.000Z', priced(2)],
    ['2026-08-31T23:59:59.999Z', priced(2)],
    ['2026-09-01T00:00:00.000Z', priced(1)],
    ['2026-10-01T00:00:00.000Z', priced(3)],
    ['2030-01-01T00:00:00.000Z', priced(3)],
  ])('at %s is the latest that holds', ([moment, price]) => {
    const book = createPriceBook({ own: [], shipped: raised })
    expect(book.lookup(together, 'llama', Date.parse(moment))).toEqual(price)
  })

  test('without a date has always been', () => {
    const book = createPriceBook({ own: [], shipped: [entry('1')] })
    expect(book.lookup(together, 'llama', 0)).toEqual(priced(1))
  })
})

describe('a model', () => {
  const book = createPriceBook({
    own: [],
    shipped: [
      entry('1', { model: '*' }),
      entry('2', { model: 'llama*' }),
      entry('3', { model: 'llama-3*turbo' }),
      entry('4', { model: 'llama-3-turbo' }),
      entry('5', { model: 'llama-3*8b', from: '2027-01-01' }),
    ],
  })
  test.for<[string, number]>([
    ['qwen', 1],
    ['llama-2', 2],
    ['llama-3-8b-turbo', 3],
    ['llama-3-turbo', 4],
    ['llama-3-8b', 2],
  ])('%s has the price of its own name, or else of the longest pattern that holds', ([model, usd]) => {
    expect(book.lookup(together, model, november)).toEqual(priced(usd))
  })

  test('is not known by another list, nor without one', () => {
    expect(book.lookup({ name: 'together', list: 'baseten' }, 'qwen', november)).toEqual(unknownPrice)
    expect(book.find({ name: 'together', list: 'baseten' }, 'qwen', november)).toBeUndefined()
    expect(book.find({ name: 'together', list: undefined }, 'qwen', november)).toBeUndefined()
  })

  test('named like something every object has is not known', () => {
    const empty = createPriceBook({ own: [], shipped: [entry('1')] })
    expect(empty.lookup({ name: '__proto__', list: 'constructor' }, 'toString', november)).toBe(unknownPrice)
  })
})

describe('the layers', () => {
  const shipped = [entry('1'), entry('1', { model: 'qwen' })]

  test('go from the operator’s own to what the provider told to what is shipped', () => {
    const book = createPriceBook({ own: [own('3', { from: '2026-12-01' })], shipped })
    const tell = (moment: string) => book.find(together, 'llama', Date.parse(moment))
    book.refresh('together-eu', [listed('llama', priced(2))], november)
    expect(tell('2026-11-22')).toMatchObject({ price: priced(1), layer: 'shipped', source: 'says 1' })
    expect(tell('2026-11-23')).toMatchObject({ price: priced(2), layer: 'refreshed', contextTokens: 8192 })
    expect(tell('2026-12-01')).toMatchObject({ price: priced(3), layer: 'own', source: 'says 3' })
  })

  test('are not mixed: what an entry leaves open stays unknown', () => {
    const price = { unit: 'usd_per_million_tokens', input: '7' } as const
    const book = createPriceBook({ own: [own('0', { price })], shipped })
    expect(book.lookup(together, 'llama', november)).toEqual({
      ...unknownPrice,
      inputNanoUsdPerMillion: 7e9,
    })
  })

  test('have a pattern of the operator’s before an exact name that is shipped', () => {
    const book = createPriceBook({ own: [own('9', { model: '*' })], shipped })
    expect(book.lookup(together, 'llama', november)).toEqual(priced(9))
  })

  test('are the operator’s for one provider of a type, and not for another', () => {
    const book = createPriceBook({ own: [own('9')], shipped })
    expect(book.lookup({ ...together, name: 'together-us' }, 'llama', november)).toEqual(priced(1))
  })
})

describe('a list from the provider', () => {
  const shipped = [entry('1'), entry('1', { model: 'qwen' })]

  test('takes the place of the whole list before it', () => {
    const book = createPriceBook({ own: [], shipped })
    book.refresh('together-eu', [listed('llama', priced(2)), listed('qwen', priced(2))], november)
    book.refresh('together-eu', [listed('llama', priced(3))], november)
    expect(book.lookup(together, 'llama', november)).toEqual(priced(3))
    expect(book.lookup(together, 'qwen', november)).toEqual(priced(1))
  })

  test('is of that provider alone', () => {
    const book = createPriceBook({ own: [], shipped })
    book.refresh('together-us', [listed('llama', priced(2))], november)
    expect(book.lookup(together, 'llama', november)).toEqual(priced(1))
  })

  test('says nothing of a model that it has no price for, and 0 is one', () => {
    const book = createPriceBook({ own: [], shipped })
    book.refresh('together-eu', [listed('llama', unknownPrice), listed('qwen', priced(0))], november)
    expect(book.lookup(together, 'llama', november)).toEqual(priced(1))
    expect(book.lookup(together, 'qwen', november)).toEqual(priced(0))
  })
})

test.for<[string, Partial<PriceEntry>]>([
  ['a day that is none', { from: '2026-02-30' }],
  ['a day in words', { from: 'today' }],
  ['a moment', { until: '2026-08-18T00:00:00Z' }],
  ['a price that is none', { price: { unit: 'usd_per_second', work: 'free' } }],
])('%s is refused, and the entry named', ([, wrong]) => {
  const create = () => createPriceBook({ own: [own('1', wrong)], shipped: [] })
  expect(create).toThrow(RangeError)
  expect(create).toThrow(/^The price of llama at together-eu: /)
})
