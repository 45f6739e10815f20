import { isObject } from '../core/json.ts'
import type { Clocks } from '../core/model.ts'
import { type Price, unknownPrice, usdText } from '../core/price.ts'
import type { DeploymentSettings, RouteSettings } from './routing.ts'
import type { Config, ProviderSettings } from './settings.ts'
import { pairs, type Rows } from './table.ts'

/** What a model costs where the operator has not said it; `unknownPrice` where nobody has. */
export type ListedPrices = (provider: ProviderSettings, model: string) => Price

export const routeHeadings = [
  'routes',
  'strategy',
  'provider',
  'model there',
  'weight',
  'USD per million tokens',
  'clocks and retries',
] as const

/** A row for each deployment of each route: where a call may go, at what price, and how long it may take. */
export function routeRows({ routes, providers }: Config, listed: ListedPrices): Rows {
  return routes.flatMap((route) =>
    route.deployments.map((deployment, index) => {
      const provider = providers.find(({ name }) => name === deployment.provider)
      const isFirst = index === 0
      const mark = index === route.baseline ? ' (baseline)' : ''
      return [
        isFirst ? `  ${route.pattern}` : '',
        isFirst ? route.strategy : '',
        `${index + 1}. ${deployment.provider}${mark}`,
        deployment.model ?? 'as asked for',
        weightOf(route, deployment),
        priceCell(route, deployment, provider, listed),
        boundsOf(deployment, provider),
      ]
    }),
  )
}

function weightOf({ strategy }: RouteSettings, { weight }: DeploymentSettings): string {
  return String(weight ?? (strategy === 'weighted' ? 1 : ''))
}

function priceCell(
  { pattern }: RouteSettings,
  { price, model = pattern }: DeploymentSettings,
  provider: ProviderSettings | undefined,
  listed: ListedPrices,
): string {
  if (price !== undefined) return priceText(price)
  if (model.includes('*')) return 'by model'
  const known = provider === undefined ? unknownPrice : listed(provider, model)
  const text = priceText(known)
  return text === unknown ? unknown : `${text} (listed)`
}

const unknown = 'unknown'

function priceText(price: Price): string {
  const parts = [
    ['in', price.inputNanoUsdPerMillion],
    ['cached', price.cachedInputNanoUsdPerMillion],
    ['out', price.outputNanoUsdPerMillion],
    ['per second', price.nanoUsdPerSecond],
    ['per request', price.nanoUsdPerRequest],
  ] as const
  const known = parts.flatMap(([of, nano]) => (nano === undefined ? [] : [`${shortUsd(nano)} ${of}`]))
  return known.length === 0 ? unknown : known.join(', ')
}

function shortUsd(nano: number): string {
  return usdText(nano).replace(/\.?0+$/, '')
}

function boundsOf(
  { clocks, retries, retryDelayMs }: DeploymentSettings,
  provider: ProviderSettings | undefined,
): string {
  const own = isObject(provider?.settings) ? provider.settings : {}
  return pairs({
    ...(isObject(own['clocks']) ? own['clocks'] : {}),
    ...clocks,
    retries: retries ?? own['retries'],
    retryDelayMs: retryDelayMs ?? own['retryDelayMs'],
  } satisfies Partial<Record<keyof Clocks | 'retries' | 'retryDelayMs', unknown>>)
}
