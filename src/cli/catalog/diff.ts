import { CatalogError } from '../../catalog/catalog.ts'
import { dateAt } from '../../catalog/day.ts'
import { disagreements, type RoutedModel } from '../../catalog/disagreements.ts'
import type { Config } from '../../config.ts'
import { priceKey } from '../../main/upstreams/price-key.ts'
import { defineCommand } from '../command.ts'
import { type ConfigOverrides, configOptions } from '../config-options.ts'
import { readConfig } from '../read-config.ts'
import { readSources } from './sources.ts'

export const catalogDiff = defineCommand({
  name: 'catalog diff',
  does: 'list routed models that are retired, or whose prices are old or disputed',
  about:
    'For CI: exits with 1 if there are any. Without models in gateway.yaml, checks the default routes, except for ' +
    'names that are kept only to point to their successors.',
  operands: [
    {
      name: 'FILE|URL',
      does: 'sources to compare with, comma-separated (default: none)',
      isOptional: true,
    },
  ],
  options: {
    'max-age': {
      value: 'DAYS',
      does: 'how old a price may be, in days (default: catalog.maxPriceAgeDays)',
      takes: 'a number of days',
      read: (text: string) => (/^\d{1,6}$/.test(text) ? Number(text) : undefined),
    },
    ...configOptions,
  },
  run: ({ operands: [places], options: { 'max-age': maxAge, ...overrides } }) =>
    diff(places?.split(',') ?? [], maxAge, overrides),
})

async function diff(
  places: readonly string[],
  maxAge: number | undefined,
  overrides: ConfigOverrides,
): Promise<number> {
  const config = readConfig(overrides)
  try {
    const sources = await readSources(places)
    const { data, maxPriceAgeDays } = config.catalog
    const routed = routedModels(config)
    const options = { today: dateAt(Date.now()), maxAgeDays: maxAge ?? maxPriceAgeDays }
    const found = disagreements(data, routed, sources, options)
    process.stdout.write(found.map((line) => `${line}\n`).join(''))
    process.stdout.write(`${found.length} of ${routed.length} routed models need a look.\n`)
    return found.length === 0 ? 0 : 1
  } catch (thrown) {
    if (!(thrown instanceof CatalogError)) throw thrown
    process.stderr.write(thrown.message)
    return 1
  }
}

/** The routed models that the catalogue can have: those with a name, at providers that have rows in it. */
function routedModels({ catalog, routes, routing, providers }: Config): readonly RoutedModel[] {
  const { models, names } = catalog.data
  const listed = new Set(models.map(({ provider }) => provider))
  const written = routes.flatMap(({ pattern, deployments }) =>
    deployments.flatMap(({ provider, model = pattern, price }) => {
      const settings = providers.find(({ name }) => name === provider)
      const list = settings && priceKey(settings).list
      return list === undefined || model.includes('*') || price !== undefined
        ? []
        : [{ provider: list, model }]
    }),
  )
  const mapped = names.flatMap(({ places, successors }) =>
    successors === undefined
      ? places.flatMap(({ provider, model }) => (model === undefined ? [] : [{ provider, model }]))
      : [],
  )
  const all = (routing.isDefault ? mapped : written).filter(({ provider }) => listed.has(provider))
  const unique = new Map(all.map((one) => [JSON.stringify([one.provider, one.model]), one]))
  return [...unique.values()]
}
