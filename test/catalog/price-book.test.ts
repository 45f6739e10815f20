import { describe, expect, test } from 'vitest'
import type { CatalogModel } from '../../src/catalog/catalog.ts'
import { createPriceBook, type PriceBook, type PricedProvider } from '../../src/catalog/price-book.ts'
import { type Price, unknownPrice } from '../../src/core/model/price.ts'
import { bookOf, entry, listed, november, priced, sources, together } from './rows.ts'

/** The default source of entries. */
const saidByBoth = {
  asOfEpochMs: Date.parse('2026-11-22'),
  sourceName: 'A list, 2026-11-20; Another, 2026-11-22',
  isFirm: true,
}

const lookup = (book: PriceBook, provider: PricedProvider, model: string, epochMs: number) =>
  book.find({ provider, model }, epochMs)?.price ?? unknownPrice

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
  ])('at %s is the latest that applies', ([moment, price]) => {
    const book = bookOf(...raised)
    expect(lookup(book, together, 'llama', Date.parse(moment))).toEqual(price)
  })

  test('without a date always applies', () => {
    const book = bookOf(entry('1'))
    expect(lookup(book, together, 'llama', 0)).toEqual(priced(1))
  })
})

describe('a model', () => {
  const book = bookOf(
    entry('1', { model: '*' }),
    entry('2', { model: 'llama*' }),
    entry('3', { model: 'llama-3*turbo' }),
    entry('4', { model: 'llama-3-turbo' }),
    entry('5', { model: 'llama-3*8b', from: '2027-01-01' }),
  )
  test.for<[string, number]>([
    ['qwen', 1],
    ['llama-2', 2],
    ['llama-3-8b-turbo', 3],
    ['llama-3-turbo', 4],
    ['llama-3-8b', 2],
  ])('%s has the price of its own name, or else of the longest pattern that matches', ([model, usd]) => {
    expect(lookup(book, together, model, november)).toEqual(priced(usd))
  })

  test('is unknown to another list, and without one', () => {
    expect(lookup(book, { ...together, list: 'baseten' }, 'qwen', november)).toEqual(unknownPrice)
    expect(book.find({ provider: { ...together, list: 'baseten' }, model: 'qwen' }, november)).toBeUndefined()
    expect(book.find({ provider: { ...together, list: undefined }, model: 'qwen' }, november)).toBeUndefined()
  })

  test('named like a member of every object is unknown', () => {
    const empty = bookOf(entry('1'))
    expect(
      lookup(empty, { name: '__proto__', type: 'together', list: 'constructor' }, 'toString', november),
    ).toBe(unknownPrice)
  })
})

describe('the layers', () => {
  const shipped = [entry('1'), entry('1', { model: 'qwen' })]
  const written = { from: '2026-12-01', price: priced(3) }

  test('are the operator’s own, the provider’s list, and the shipped catalogue', () => {
    const book = bookOf(...shipped)
    const tell = (moment: string) =>
      book.find({ provider: together, model: 'llama', own: [written] }, Date.parse(moment))
    book.refresh('together-eu', [listed('llama', priced(2))], november)
    const since = (day: string) => Date.parse(day)
    expect(tell('2026-11-22')).toEqual({
      ...{ price: priced(1), source: 'shipped', sinceEpochMs: undefined, ...saidByBoth },
    })
    expect(tell('2026-11-23')).toEqual({
      ...{ price: priced(2), source: 'listed', sinceEpochMs: since('2026-11-23') },
      ...{ asOfEpochMs: since('2026-11-23'), sourceName: 'together-eu', isFirm: true },
    })
    expect(tell('2026-12-01')).toEqual({
      ...{ price: priced(3), source: 'own', sinceEpochMs: since('2026-12-01') },
      ...{ asOfEpochMs: undefined, sourceName: undefined, isFirm: true },
    })
  })

  test('are not mixed: amounts that an entry lacks stay unknown', () => {
    const price = { ...unknownPrice, inputNanoUsdPerMillion: 7 }
    const found = bookOf(...shipped).find({ provider: together, model: 'llama', own: [{ price }] }, november)
    expect(found?.price).toEqual(price)
  })

  test('report since when a shipped price applies, and whether it is firm', () => {
    const book = bookOf(entry('1', { from: '2026-08-18', firm: false }))
    expect(book.find({ provider: together, model: 'llama' }, november)).toMatchObject({
      sinceEpochMs: Date.parse('2026-08-18'),
      isFirm: false,
    })
  })
})

describe('the operator’s own', () => {
  const own = [
    { from: '2027-01-01', price: priced(3) },
    { from: '2026-12-01', price: priced(2) },
    { price: priced(1) },
  ]
  test.for<[string, number, string | undefined]>([
    ['1999-01-01T00:00:00.000Z', 1, undefined],
    ['2026-11-30T23:59:59.999Z', 1, undefined],
    ['2026-12-01T00:00:00.000Z', 2, '2026-12-01'],
    ['2026-12-31T23:59:59.999Z', 2, '2026-12-01'],
    ['2027-01-01T00:00:00.000Z', 3, '2027-01-01'],
    ['2030-01-01T00:00:00.000Z', 3, '2027-01-01'],
  ])('at %s is the latest that has started', ([moment, usd, since]) => {
    const found = bookOf().find({ provider: together, model: 'llama', own }, Date.parse(moment))
    expect(found).toMatchObject({ price: priced(usd), source: 'own' })
    expect(found?.sinceEpochMs).toBe(since && Date.parse(since))
  })

  test('applies to a model without a name', () => {
    const found = bookOf(entry('9', { model: '*' })).find({ provider: together, model: undefined, own }, 0)
    expect(found?.price).toEqual(priced(1))
    expect(
      bookOf(entry('9', { model: '*' })).find({ provider: together, model: undefined }, 0),
    ).toBeUndefined()
  })
})

describe('hardware that the operator names', () => {
  const card = (perSecond: string, from: string) => ({
    ...{ provider: 'together', gpu: 'H100', from, price: { perSecond }, sources: ['list', 'other'] },
  })
  const book = createPriceBook({
    models: [entry('1')],
    hardware: [card('0.001', '2026-08-20'), card('0.002', '2026-12-01')],
    sources,
  })
  const find = (own: object, moment: string, type = 'together') =>
    book.find(
      { provider: { ...together, type }, model: 'llama', own: [{ gpu: 'H100', gpus: 1, ...own }] },
      Date.parse(moment),
    )

  test('costs its shipped price per second at that time, by the provider’s type', () => {
    expect(find({}, '2026-11-30')).toEqual({
      price: { ...unknownPrice, nanoUsdPerSecond: 1_000_000 },
      ...{ source: 'shipped', sinceEpochMs: Date.parse('2026-08-20'), ...saidByBoth },
    })
    expect(find({}, '2026-12-01')?.price.nanoUsdPerSecond).toBe(2_000_000)
  })

  test('costs are multiplied by the number of cards', () => {
    expect(find({ gpus: 8 }, '2026-12-01')?.price.nanoUsdPerSecond).toBe(16_000_000)
  })

  test('is reported since the operator’s own date, if that is later', () => {
    expect(find({ from: '2026-10-01' }, '2026-11-30')?.sinceEpochMs).toBe(Date.parse('2026-10-01'))
    expect(find({ from: '2026-10-01' }, '2026-12-01')?.sinceEpochMs).toBe(Date.parse('2026-12-01'))
  })

  test('does not give a price to a model without one', () => {
    expect(find({}, '2026-01-01')).toBeUndefined()
    expect(find({}, '2026-12-01', 'baseten')).toBeUndefined()
    expect(find({ gpu: 'A100' }, '2026-12-01')).toBeUndefined()
  })
})

describe('a list from the provider', () => {
  const shipped = [entry('1'), entry('1', { model: 'qwen' })]

  test('replaces the whole previous list', () => {
    const book = bookOf(...shipped)
    book.refresh('together-eu', [listed('llama', priced(2)), listed('qwen', priced(2))], november)
    book.refresh('together-eu', [listed('llama', priced(3))], november)
    expect(lookup(book, together, 'llama', november)).toEqual(priced(3))
    expect(lookup(book, together, 'qwen', november)).toEqual(priced(1))
  })

  test('applies to that provider only', () => {
    const book = bookOf(...shipped)
    book.refresh('together-us', [listed('llama', priced(2))], november)
    expect(lookup(book, together, 'llama', november)).toEqual(priced(1))
  })

  test('gives no price for a model without one; 0 is a price', () => {
    const book = bookOf(...shipped)
    book.refresh('together-eu', [listed('llama', unknownPrice), listed('qwen', priced(0))], november)
    expect(lookup(book, together, 'llama', november)).toEqual(priced(1))
    expect(lookup(book, together, 'qwen', november)).toEqual(priced(0))
  })
})

test.for<[string, Partial<CatalogModel>]>([
  ['an invalid day', { from: '2026-02-30' }],
  ['a day as a word', { from: 'today' }],
  ['a moment', { until: '2026-08-18T00:00:00Z' }],
  ['an invalid price', { price: { input: 'free' } }],
])('%s is refused, and the error names the entry', ([, wrong]) => {
  const create = () => bookOf(entry('1', wrong))
  expect(create).toThrow(RangeError)
  expect(create).toThrow(/^The price of llama at together: /)
})
