import { describe, expect, test } from 'vitest'
import { catalogText } from '../../../src/catalog/catalog.ts'
import { shippedCatalog } from '../../../src/catalog/shipped.ts'
import { loadConfig } from '../../../src/config.ts'
import { refusal, testProviders } from '../load.ts'

describe('the catalogue', () => {
  const shipped = shippedCatalog()
  const model = { provider: 'together', model: 'new', price: { input: '1' }, sources: ['litellm-1120'] }
  const newer = { ...shipped, asOf: '2027-01-01', models: [...shipped.models, model] }
  const read = (files: Readonly<Record<string, string>>, environment = {}) =>
    loadConfig({
      environment,
      readFile: (path) => {
        const text = files[path]
        if (text !== undefined) return text
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      },
      providers: testProviders,
    }).catalog

  test('is the one that is shipped, without another', () => {
    expect(read({})).toMatchObject({ data: shipped, file: undefined })
  })

  test('is the one in the data directory, where that is newer', () => {
    const file = 'kept/catalog.json'
    const environment = { DATA_DIR: 'kept' }
    expect(read({ [file]: catalogText(newer) }, environment)).toMatchObject({ data: newer, file })
    const older = catalogText({ ...newer, asOf: '2026-01-01' })
    expect(read({ [file]: older }, environment)).toMatchObject({ data: shipped, file: undefined })
  })

  test('is the one that is named, however old', () => {
    const older = { ...newer, asOf: '2026-01-01' }
    const files = { 'gateway.yaml': 'catalog: { file: own.json }', 'own.json': catalogText(older) }
    expect(read(files)).toMatchObject({ data: older, file: 'own.json' })
  })

  test('is refused where it is none, with what is wrong in it', () => {
    const broken = JSON.stringify({ format: 'pandotate-catalog', version: 2 })
    expect(refusal(() => read({ 'data/catalog.json': broken })).problems).toEqual([
      {
        source: 'data/catalog.json',
        place: '',
        message: expect.stringMatching(/not a catalogue.*version: /),
      },
    ])
    const named = { 'gateway.yaml': 'catalog: { file: own.json }', 'own.json': '{}' }
    expect(refusal(() => read(named)).problems).toMatchObject([
      {
        source: 'gateway.yaml',
        line: 1,
        place: 'catalog.file',
        message: expect.stringContaining('not a catalogue'),
      },
    ])
  })
})
