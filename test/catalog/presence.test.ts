import { describe, expect, test } from 'vitest'
import { createPriceBook, type PriceBook } from '../../src/catalog/price-book.ts'
import { costNanoUsd, unknownPrice } from '../../src/core/model/price.ts'
import { bookOf, entry, listed, november, priced, sources, together } from './rows.ts'

const dayMs = 86_400_000

describe('a shipped price', () => {
  const book = bookOf(
    entry('1', { model: 'agreed' }),
    entry('1', { model: 'one source', sources: ['list'] }),
    entry('1', { model: 'its own word', sources: ['old'] }),
    entry('1', { model: 'hearsay', firm: false }),
    entry('1', { model: 'gone', until: '2026-11-01' }),
  )
  test.for<[string, string, boolean]>([
    ['agreed', '2026-11-23', true],
    ['agreed', '2027-01-05T23:59:59.999Z', true],
    ['agreed', '2027-01-06', false],
    ['one source', '2026-11-23', false],
    ['its own word', '2026-10-01', true],
    ['its own word', '2026-10-02', false],
    ['hearsay', '2026-11-23', false],
    ['gone', '2026-10-31', true],
    ['gone', '2026-11-01', false],
  ])('%s on %s is firm: %s, and is used either way', ([model, moment, isFirm]) => {
    expect(book.find({ provider: together, model }, Date.parse(moment))).toMatchObject({
      price: priced(1),
      isFirm,
    })
  })

  test('is firm for the configured number of days', () => {
    const strict = createPriceBook({ models: [entry('1')], hardware: [], sources }, 1)
    const at = (moment: string) =>
      strict.find({ provider: together, model: 'llama' }, Date.parse(moment))?.isFirm
    expect([at('2026-11-22T23:00:00Z'), at('2026-11-23')]).toEqual([true, false])
  })

  test('is not firm if the provider’s own list lacks the model', () => {
    const listing = bookOf(entry('1'), entry('1', { model: 'unpriced' }))
    listing.refresh('together-eu', [listed('other', priced(2)), listed('unpriced', unknownPrice)], november)
    for (const model of ['llama', 'unpriced']) {
      expect(listing.find({ provider: together, model }, november)).toMatchObject({
        ...{ price: priced(1), source: 'shipped', isFirm: false },
      })
      expect(listing.find({ provider: together, model }, november - 1)?.isFirm).toBe(true)
    }
  })
})

test('a listed price also stops being firm without a new list for too long', () => {
  const book = bookOf()
  book.refresh('together-eu', [listed('llama', priced(2))], november)
  const at = (days: number) => book.find({ provider: together, model: 'llama' }, november + days * dayMs)
  expect(at(44.9)).toMatchObject({ price: priced(2), isFirm: true })
  expect(at(45)).toMatchObject({ price: priced(2), isFirm: false })
})

describe('whether a provider has a model', () => {
  const rows = [
    entry('1', { model: 'living' }),
    entry('1', { model: 'gone', until: '2026-10-22', successor: 'next' }),
    entry('1', { model: 'going', until: '2026-12-01', successor: 'next' }),
  ]
  const since = Date.parse('2026-10-22')
  const cases: readonly [string, ReturnType<PriceBook['presence']>, ReturnType<PriceBook['presence']>][] = [
    ['living', undefined, { state: 'unlisted', sinceEpochMs: undefined, successor: undefined }],
    [
      'gone',
      { state: 'retired', sinceEpochMs: since, successor: 'next' },
      { state: 'unlisted', sinceEpochMs: since, successor: 'next' },
    ],
    ['going', undefined, { state: 'listed', sinceEpochMs: undefined, successor: undefined }],
    ['new', undefined, { state: 'listed', sinceEpochMs: undefined, successor: undefined }],
    ['idle', undefined, { state: 'unpriced', sinceEpochMs: undefined, successor: undefined }],
    ['unheard-of', undefined, { state: 'unlisted', sinceEpochMs: undefined, successor: undefined }],
  ]
  test.for(cases)('%s: by the catalogue %j, by its own list %j', ([model, shipped, byList]) => {
    const book = bookOf(...rows)
    expect(book.presence({ provider: together, model }, november)).toEqual(shipped)
    const list = [listed('going', priced(1)), listed('new', priced(1)), listed('idle', unknownPrice)]
    book.refresh('together-eu', list, november)
    expect(book.presence({ provider: together, model }, november)).toEqual(byList)
    expect(book.presence({ provider: { ...together, name: 'other' }, model }, november)).toEqual(shipped)
  })

  test('is also reported by a list without any prices', () => {
    const book = bookOf()
    book.refresh('together-eu', [listed('llama', unknownPrice)], november)
    expect(book.presence({ provider: together, model: 'llama' }, november)?.state).toBe('listed')
  })

  test('is reported by the catalogue if that is newer than a stored list', () => {
    const book = bookOf(...rows)
    book.refresh('together-eu', [listed('gone', priced(7))], Date.parse('2026-10-01'))
    const ask = (model: string) => book.presence({ provider: together, model }, november)?.state
    expect([ask('living'), ask('gone'), ask('unheard-of')]).toEqual([undefined, 'retired', 'unlisted'])
    expect(book.find({ provider: together, model: 'gone' }, november)).toMatchObject({ source: 'shipped' })
  })

  test('is unknown if callers name the model', () => {
    expect(bookOf().presence({ provider: together, model: undefined }, november)).toBeUndefined()
  })
})

test('abilities come from the list, else from the catalogue, also for a retired model', () => {
  const told = { contextTokens: 4096, maxOutputTokens: 1024, tools: true, vision: false, jsonSchema: true }
  const book = bookOf(entry('1', told), entry('1', { model: 'gone', until: '2026-10-22', vision: true }))
  const traits = (model: string) => book.traits({ provider: together, model }, november)
  expect([traits('llama'), traits('gone'), traits('unheard-of')]).toEqual([told, { vision: true }, {}])
  book.refresh('together-eu', [{ ...listed('llama', priced(2)), traits: { vision: true } }], november)
  expect(traits('llama')).toEqual({ ...told, contextTokens: 8192, vision: true })
})

test('its version increases with every list', () => {
  const book = bookOf()
  const versions = [book.version]
  book.refresh('together-eu', [], november)
  versions.push(book.version)
  book.refreshHardware('runpod', [], november)
  versions.push(book.version)
  expect(versions).toEqual([0, 1, 2])
})

test('a machine costs its provider’s listed price: by its own name or its pool’s, the highest of several', () => {
  const row = { provider: 'runpod', gpu: '48GB', pools: ['AMPERE_48', 'ADA_48_PRO'], sources: ['old'] }
  const hardware = [{ ...row, price: { perSecond: '0.0005' } }]
  const book = createPriceBook({ models: [], hardware, sources })
  const provider = { name: 'rented', type: 'runpod', list: undefined }
  const find = (gpu: string) => book.find({ provider, model: 'm', own: [{ gpu, gpus: 2 }] }, november)
  expect(find('48GB')).toMatchObject({
    source: 'shipped',
    isFirm: false,
    price: { nanoUsdPerSecond: 1_000_000 },
  })
  book.refreshHardware(
    'rented',
    [
      { names: ['NVIDIA A40', 'AMPERE_48'], nanoUsdPerSecond: 100 },
      { names: ['NVIDIA L40S', 'ADA_48_PRO'], nanoUsdPerSecond: 300 },
      { names: ['NVIDIA L40', 'ADA_48_PRO'], nanoUsdPerSecond: 200 },
    ],
    november,
  )
  expect(find('48GB')).toMatchObject({
    source: 'listed',
    sourceName: 'rented',
    price: { nanoUsdPerSecond: 600 },
  })
  expect(find('NVIDIA A40')).toMatchObject({ source: 'listed', price: { nanoUsdPerSecond: 200 } })
})

test('long prompts cost the price of their tier, and the base price for amounts that it lacks', () => {
  const tiers = [
    { above: 100, input: '2' },
    { above: 1000, input: '4', output: '5', cachedInput: '1' },
  ]
  const book = bookOf(entry('1', { price: { input: '1', output: '3', batchInput: '0.5', tiers } }))
  const { price = unknownPrice } = book.find({ provider: together, model: 'llama' }, november) ?? {}
  const cost = (promptTokens: number, cachedTokens = 0) =>
    costNanoUsd(price, { promptTokens, cachedTokens, completionTokens: 1, workedMs: undefined })
  expect([cost(100), cost(101), cost(1000), cost(1001, 1)]).toEqual([
    ...[100_000 + 3000, 202_000 + 3000, 2_000_000 + 3000, 4_000_000 + 1000 + 5000],
  ])
})
