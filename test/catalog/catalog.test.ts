import { describe, expect, test } from 'vitest'
import { type Catalog, CatalogError, catalogText, readCatalog } from '../../src/catalog/catalog.ts'
import { shippedCatalog } from '../../src/catalog/shipped.ts'

const source = { name: 'A list', url: 'https://list.example/', readAt: '2026-11-20' }
const row = { provider: 'together', model: 'm', price: { input: '1', output: 2 }, sources: ['list'] }
const whole = {
  format: 'pandotate-catalog',
  version: 1,
  asOf: '2026-11-29',
  sources: { list: source },
  models: [row],
  hardware: [{ provider: 'runpod', gpu: 'H100', price: { perSecond: '0.00116' }, sources: ['list'] }],
  names: [{ names: ['m', 'short'], places: [{ provider: 'together', model: 'm' }], successors: ['short'] }],
}

test('a catalogue is read from its text', () => {
  const { format: _format, version: _version, ...content } = whole
  expect(readCatalog(JSON.stringify(whole))).toEqual(content)
})

test('its text is read back as the same catalogue', () => {
  const catalog: Catalog = shippedCatalog()
  expect(readCatalog(catalogText(catalog))).toEqual(catalog)
})

describe('a catalogue is refused, and the error names the position', () => {
  test.for<[string, object, string]>([
    ['of another format', { format: 'other' }, 'format: '],
    ['of a later version', { version: 2 }, 'version: '],
    ['of no day', { asOf: '2026-02-30' }, 'asOf: expected a day'],
    ['with an unknown setting', { extra: 1 }, 'the whole: '],
    ['with an invalid price', { models: [{ ...row, price: { input: '-1' } }] }, 'models.0.price.input: '],
    ['with an unknown field', { models: [{ ...row, colour: 'red' }] }, 'models.0: '],
    ['with a row without a source', { models: [{ ...row, sources: [] }] }, 'models.0.sources: '],
    [
      'with a source that is not there',
      { models: [{ ...row, sources: ['rumour'] }] },
      'm at together: there is no source "rumour"',
    ],
    ['with a day twice', { models: [row, row] }, 'm at together: two rows begin on the same day'],
    [
      'with a row that ends before it begins',
      { models: [{ ...row, from: '2026-11-20', until: '2026-11-20' }] },
      'm at together: until is not after from',
    ],
    [
      'with a name twice',
      { names: [...whole.names, { names: ['m'], places: [{ provider: 'baseten' }] }] },
      'm: is in two entries of names',
    ],
    [
      'with a successor that is not a name',
      { names: [{ names: ['m'], places: [{ provider: 'baseten' }], successors: ['lost'] }] },
      'lost: is named as a successor, but is not in names',
    ],
  ])('%s', ([, part, told]) => {
    const read = () => readCatalog(JSON.stringify({ ...whole, ...part }))
    expect(read).toThrow(CatalogError)
    expect(read).toThrow(told)
  })

  test('that is not JSON', () => {
    expect(() => readCatalog('prices: none')).toThrow('It is not JSON.')
  })
})
