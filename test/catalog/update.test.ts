import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Catalog, type CatalogModel, catalogText, readCatalog } from '../../src/catalog/catalog.ts'
import { disagreements } from '../../src/catalog/disagreements.ts'
import { shippedCatalog } from '../../src/catalog/shipped.ts'
import { readSource, type SourceRow, type SourceRows } from '../../src/catalog/sources.ts'
import { updateCatalog } from '../../src/catalog/update.ts'

const today = '2026-12-05'

describe('a source is read by its format', () => {
  test('LiteLLM’s: per token, with retirements, successors and tiers', () => {
    const { name, rows } = readSource(
      JSON.stringify({
        sample_spec: { litellm_provider: 'one of https://docs', input_cost_per_token: 0 },
        'together_ai/zai-org/GLM-5.3': {
          ...{ litellm_provider: 'together_ai', mode: 'chat', max_input_tokens: 1_048_575 },
          ...{ input_cost_per_token: 1.4e-6, output_cost_per_token: 4.4e-6 },
          ...{ cache_read_input_token_cost: 2.6e-7, supports_function_calling: true, supports_vision: false },
          input_cost_per_token_above_200k_tokens: 2.8e-6,
          input_cost_per_token_batches: 7e-7,
        },
        'together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo': {
          ...{ litellm_provider: 'together_ai', mode: 'chat' },
          ...{ input_cost_per_token: 1.04e-6, output_cost_per_token: 1.04e-6 },
          ...{ deprecation_date: '2026-10-22', successor_model: 'together_ai/meta-models/Muse-Glimmer-30B' },
        },
        'together_ai/flux': {
          litellm_provider: 'together_ai',
          mode: 'image_generation',
          input_cost_per_token: 1,
        },
        'other/x': { litellm_provider: 'other', mode: 'chat', input_cost_per_token: 1 },
      }),
    )
    expect({ name, rows }).toEqual({
      name: 'LiteLLM',
      rows: [
        {
          ...{ provider: 'together', model: 'zai-org/GLM-5.3', contextTokens: 1_048_575 },
          ...{ tools: true, vision: false },
          price: {
            ...{ input: '1.4', output: '4.4', cachedInput: '0.26', batchInput: '0.7' },
            tiers: [{ above: 200_000, input: '2.8' }],
          },
        },
        {
          ...{ provider: 'together', model: 'meta-llama/Llama-3.3-70B-Instruct-Turbo' },
          price: { input: '1.04', output: '1.04' },
          ...{ until: '2026-10-22', successor: 'meta-models/Muse-Glimmer-30B' },
        },
      ],
    })
  })

  test('models.dev’s: per million, with the abilities of a model', () => {
    const model = {
      ...{ id: 'zai-org/GLM-5.3', tool_call: true, reasoning: true, structured_output: true },
      ...{ modalities: { input: ['text', 'image'] }, limit: { context: 1_048_575, output: 262_144 } },
      cost: { input: 1.4, output: 4.4, cache_read: 0.26 },
    }
    const old = { id: 'old', cost: { input: 1, output: 1 }, status: 'deprecated' }
    const other = { id: 'other', models: { x: model } }
    const text = JSON.stringify({ togetherai: { models: { [model.id]: model, old, bad: 7 } }, other })
    expect(readSource(text)).toMatchObject({
      name: 'models.dev',
      rows: [
        {
          ...{ provider: 'together', model: 'zai-org/GLM-5.3', contextTokens: 1_048_575 },
          ...{ tools: true, vision: true, jsonSchema: true, reasoning: true },
          price: { input: '1.4', output: '4.4', cachedInput: '0.26' },
        },
        { provider: 'together', model: 'old', price: { input: '1', output: '1' }, isGone: true },
      ],
    })
  })

  test('our own', () => {
    const { rows } = readSource(catalogText(shippedCatalog()))
    const max = rows.filter(({ model }) => model === 'Qwen/Qwen3.7-Max')
    expect(max).toMatchObject([{ provider: 'together', price: { input: '2.5', output: '7.5' } }])
  })

  test.for(['none', '[]', '{}', '{"a":{"b":1}}'])('%s is not a source', (text) => {
    expect(() => readSource(text)).toThrow('The catalogue cannot be used.')
  })
})

describe('sources are applied to the catalogue', () => {
  const firm = { ...row('m', '1', '2'), from: '2026-08-18', sources: ['old', 'other'] }

  test('a new model is added, firm if two agree', () => {
    const one = updateCatalog(catalogOf(), [saying('A', row('m', '1', '2'))], options())
    expect(one.changes).toMatchObject([{ type: 'added', description: '1 in, 2 out (A)', isHeld: false }])
    expect(one.catalog.models).toEqual([{ ...row('m', '1', '2'), from: today, sources: ['a-2026-12-05'] }])
    const both = [saying('A', row('m', '1', '2')), saying('B', row('m', '1.0', '2.0'))]
    const { catalog } = updateCatalog(catalogOf(), both, options())
    expect(catalog.models[0]?.sources).toEqual(['a-2026-12-05', 'b-2026-12-05'])
    expect(catalog.sources['b-2026-12-05']).toEqual({ name: 'B', url: 'https://b.example/', readAt: today })
    expect(catalog.asOf).toBe(today)
  })

  test('a new price ends the old row, which stays', () => {
    const { catalog, changes } = updateCatalog(catalogOf(firm), [saying('A', row('m', '2', '4'))], options())
    expect(changes).toMatchObject([
      { type: 'repriced', description: '1 in, 2 out -> 2 in, 4 out (A)', isHeld: false },
    ])
    expect(catalog.models).toEqual([
      { ...firm, until: today },
      { ...row('m', '2', '4'), from: today, sources: ['a-2026-12-05'] },
    ])
    expect(readCatalog(catalogText(catalog))).toEqual(catalog)
    const again = updateCatalog(catalog, [saying('A', row('m', '2', '4'))], options())
    expect(again).toEqual({ catalog, changes: [] })
  })

  test.for<[string, string]>([
    ['3.1', '2'],
    ['1', '7'],
    ['0', '2'],
    ['0.3', '2'],
  ])(
    'a change by more than a factor of three, or to zero, is held back: %s in, %s out',
    ([input, output]) => {
      const before = catalogOf(firm)
      const source = [saying('A', row('m', input, output))]
      const held = updateCatalog(before, source, options())
      expect(held).toEqual({ catalog: before, changes: [expect.objectContaining({ isHeld: true })] })
      const taken = updateCatalog(before, source, options({ accepts: true }))
      expect(taken.catalog.models.at(-1)?.price).toEqual({ input, output })
    },
  )

  test('two that agree against a third are used; without two, nothing changes', () => {
    const said = [
      saying('A', row('m', '2', '4')),
      saying('B', row('m', '1.5', '3')),
      saying('C', row('m', '2', '4')),
    ]
    const agreed = updateCatalog(catalogOf(firm), said, options())
    expect(agreed.catalog.models.at(-1)?.price).toEqual({ input: '2', output: '4' })
    const before = catalogOf(firm)
    const disputed = updateCatalog(before, said.slice(0, 2), options())
    expect(disputed.catalog).toBe(before)
    expect(disputed.changes).toMatchObject([{ type: 'disputed', isHeld: true }])
    const kept = updateCatalog(before, [said[1], saying('D', row('m', '1', '2'))].flatMap(defined), options())
    expect(kept.changes.map(({ type }) => type)).toEqual(['confirmed'])
  })

  test('a confirmation updates the day, and makes a doubtful price firm', () => {
    const hearsay = { ...firm, sources: ['old'], firm: false }
    const said = [
      saying('A', {
        ...row('m', '1', '2'),
        vision: true,
        price: { input: '1', output: '2', cachedInput: '0.1' },
      }),
    ]
    const { catalog, changes } = updateCatalog(catalogOf(hearsay), said, options())
    expect(changes).toMatchObject([{ type: 'confirmed', isHeld: false }])
    expect(catalog.models).toEqual([
      {
        ...{ vision: true, provider: 'together', model: 'm', from: '2026-08-18' },
        price: { input: '1', output: '2', cachedInput: '0.1' },
        sources: ['old', 'a-2026-12-05'],
      },
    ])
    const next = updateCatalog(catalog, said, options({ today: '2027-01-01' }))
    expect(next.catalog.models[0]?.sources).toEqual(['old', 'a-2027-01-01'])
  })

  test('a retired model ends on its day, with its successor, and is not reopened', () => {
    const gone = { ...row('m', '1', '2'), until: '2026-12-01', successor: 'next' }
    const { catalog, changes } = updateCatalog(catalogOf(firm), [saying('A', gone)], options())
    expect(changes).toMatchObject([{ type: 'retired', description: 'since 2026-12-01, now next (A)' }])
    expect(catalog.models).toMatchObject([{ until: '2026-12-01', successor: 'next', price: { input: '1' } }])
    const late = updateCatalog(catalog, [saying('B', row('m', '1', '2'))], options())
    expect(late.changes).toEqual([])
  })

  test('providers that the catalogue lacks are ignored, unless they are named', () => {
    const source = [saying('A', { ...row('m', '1', '2'), provider: 'groq' })]
    expect(updateCatalog(catalogOf(firm), source, options({ providers: undefined })).changes).toEqual([])
    expect(updateCatalog(catalogOf(firm), source, options({ providers: ['groq'] })).changes).toHaveLength(1)
  })
})

describe('outdated facts about routed models', () => {
  const place = [{ provider: 'together', model: 'm' }]
  const firm = { ...row('m', '1', '2'), from: '2026-08-18', sources: ['old'] }
  const at = (maxAgeDays: number) => ({ today, maxAgeDays })

  test.for<[string, CatalogModel | undefined, SourceRow | undefined, number, readonly string[]]>([
    ['all is well', firm, row('m', '1', '2'), 365, []],
    [
      'retired',
      { ...firm, until: '2026-12-01', successor: 'n' },
      undefined,
      365,
      ['m at together: retired since 2026-12-01, now n'],
    ],
    ['not known', undefined, undefined, 365, ['m at together: is not in the catalogue']],
    ['too old', firm, undefined, 45, ['m at together: its price was last read on 2026-08-18, 109 days ago']],
    ['another price', firm, row('m', '1', '3'), 365, ['m at together: 1 in, 2 out, and A has 1 in, 3 out']],
    [
      'retired by a source',
      firm,
      { ...row('m', '1', '2'), isGone: true },
      365,
      ['m at together: A lists it as retired'],
    ],
  ])('%s', ([, own, said, days, told]) => {
    const catalog = catalogOf(...(own === undefined ? [] : [own]))
    const sources = said === undefined ? [] : [saying('A', said)]
    expect(disagreements(catalog, place, sources, at(days))).toEqual(told)
  })

  test('the default routes have none, by the sample sources of the day', () => {
    const catalog = shippedCatalog()
    const read = (name: string) =>
      readSource(readFileSync(new URL(`../fixtures/catalog/${name}.json`, import.meta.url), 'utf8'))
    const living = catalog.names.filter(({ successors }) => successors === undefined)
    const routed = living.flatMap(({ places }) =>
      places.flatMap(({ provider, model }) =>
        model === undefined || provider === 'runpod' ? [] : [{ provider, model }],
      ),
    )
    const sources = [read('litellm'), read('models-dev')]
    expect(routed.length).toBeGreaterThan(40)
    expect(disagreements(catalog, routed, sources, { today: '2026-11-29', maxAgeDays: 45 })).toEqual([])
  })
})

const sources: Catalog['sources'] = {
  old: { name: 'An old list', url: 'https://old.example/', readAt: '2026-08-18', firstHand: true },
  other: { name: 'Another', url: 'https://other.example/', readAt: '2026-08-20' },
}

function catalogOf(...models: readonly CatalogModel[]): Catalog {
  const others = models.length === 0 ? [{ ...row('other', '1', '1'), sources: ['old'] }] : []
  return {
    asOf: '2026-11-29',
    sources,
    models: models.length === 0 ? [] : [...models, ...others],
    hardware: [],
    names: [],
  }
}

function row(model: string, input: string, output: string): SourceRow {
  return { provider: 'together', model, price: { input, output } }
}

function saying(name: string, ...rows: readonly SourceRow[]): SourceRows {
  return { name, url: `https://${name.toLowerCase()}.example/`, rows }
}

function options(changes: Partial<Parameters<typeof updateCatalog>[2]> = {}) {
  return { today, accepts: false, providers: ['together'], ...changes }
}

function defined<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value]
}
