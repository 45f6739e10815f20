import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { createKeptLists } from '../catalog/kept-lists.ts'
import { createPriceBook, type PriceBook } from '../catalog/price-book.ts'
import { type Config, type CurrentPrices, describeConfig, placeOf } from '../config.ts'
import { isObject } from '../core/model/json/json.ts'
import { askPrices } from '../main/upstreams/ask-prices.ts'
import { askProviders, type ProviderAnswer } from '../main/upstreams/ask-providers.ts'
import { listAddress, priceKey } from '../main/upstreams/price-key.ts'
import { takeList } from '../main/upstreams/provider-lists.ts'
import { providers } from '../providers/all.ts'
import { unpricedUnderBudgets } from './check/unpriced.ts'
import { defineCommand } from './command.ts'
import { type ConfigOverrides, serverOptions } from './config-options.ts'
import { openConfig } from './read-config.ts'

export const check = defineCommand({
  name: 'check',
  does: 'validate the configuration: print its problems, and what differs from the defaults, keys masked',
  options: {
    ask: {
      does: 'query each provider: is it reachable, is the key valid, does it list the routed models',
    },
    all: { does: 'print every setting, and every route' },
    prices: { does: 'with the providers’ current list prices' },
    ...serverOptions,
  },
  run: ({ options: { all, ask, prices, ...overrides }, version }) =>
    checkConfig(overrides, { prices: prices === true, providers: ask === true, all: all === true }, version),
})

/** Returns 1 if the configuration is invalid, or if a queried provider did not answer with a list. */
async function checkConfig(
  overrides: ConfigOverrides,
  asks: { readonly prices: boolean; readonly providers: boolean; readonly all: boolean },
  version: string,
): Promise<number> {
  const written = openConfig(overrides).readWritten()
  const { config } = written
  const book = createPriceBook(config.catalog.data, config.catalog.maxPriceAgeDays)
  if (config.catalog.lists) takeKept(config, book)
  const clock = { now: () => performance.now(), epochMs: () => Date.now() }
  const silent = asks.prices ? await askPrices({ config, book, clock }, version) : []
  for (const name of silent) process.stderr.write(`${name} did not list its models.\n`)
  const epochMs = Date.now()
  const prices: CurrentPrices = {
    find: (provider, asked) => book.find({ ...asked, provider: priceKey(provider) }, epochMs),
    presence: (provider, asked) => book.presence({ ...asked, provider: priceKey(provider) }, epochMs),
    epochMs,
  }
  const answers = asks.providers ? await askProviders(config, clock, version) : []
  const isSick = ({ isWell }: ProviderAnswer) => !isWell
  const found = [
    ...answers.filter(isSick).map(({ name, text }) => `problem: ${name} ${text}`),
    ...(await warningsIn(config, book)).map((warning) => `warning: ${warning}`),
    ...answers.filter(({ isWell }) => isWell).map(({ name, text }) => `${name} ${text}`),
  ]
  for (const line of found) process.stdout.write(`${line}\n`)
  if (found.length > 0) process.stdout.write('\n')
  const shown = { prices, isWhole: asks.all, showsRoutes: asks.prices }
  process.stdout.write(`${describeConfig(written, providers, shown)}\n`)
  // Without a provider's list, some of the requested prices are missing.
  return silent.length === 0 && answers.every(({ isWell }) => isWell) ? 0 : 1
}

/** All warnings, including those that need the network or the price book. */
async function warningsIn(config: Config, book: PriceBook): Promise<readonly string[]> {
  const unresolved = await Promise.all(config.providers.map((one) => unresolvedHost(config, one)))
  return [
    ...(config.warnings ?? []),
    ...unresolved.flat(),
    ...unknownPrices(config, book),
    ...unpricedUnderBudgets(config, book, Date.now()),
  ]
}

/** Warns of a host that does not resolve. */
async function unresolvedHost(
  { routes }: Config,
  { name, settings }: Config['providers'][number],
): Promise<readonly string[]> {
  const url = isObject(settings) ? (settings['baseUrl'] ?? settings['url']) : undefined
  const host = typeof url === 'string' ? URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') : undefined
  if (host === undefined || host === '' || isIP(host) !== 0) return []
  const isUsed = routes.some(({ deployments }) => deployments.some(({ provider }) => provider === name))
  if (!isUsed) return []
  try {
    await lookup(host)
    return []
  } catch {
    return [`the host of providers.${name}, ${host}, does not resolve.`]
  }
}

/** Warns of unknown prices in routes by price. */
function unknownPrices({ routes, providers }: Config, book: PriceBook): readonly string[] {
  return routes.flatMap(({ pattern, strategy, deployments }) => {
    if (strategy !== 'cheapest' && strategy !== 'value') return []
    return deployments.flatMap(({ provider, model = pattern, price: own }) => {
      const written = providers.find(({ name }) => name === provider)
      const known = written && book.find({ provider: priceKey(written), model, own }, Date.now())
      return known !== undefined
        ? []
        : [
            `${placeOf(['models', pattern])} routes by price, and the price of ${model} at ${provider} is unknown.`,
          ]
    })
  })
}

/** Adds the lists that the gateway saved in the data directory. */
export function takeKept(config: Config, book: PriceBook): void {
  const kept = createKeptLists(config.dataDirectory)
  for (const { name } of config.providers) {
    const list = kept.read({ name, address: listAddress(config, name) })
    if (list !== undefined) takeList(book, name, list)
  }
}
