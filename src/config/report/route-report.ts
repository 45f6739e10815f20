import { dateAt } from '../../catalog/day.ts'
import type { KnownPrice } from '../../catalog/known-price.ts'
import { nextDay, ownInForce } from '../../catalog/own-prices.ts'
import type { PriceQuestion } from '../../catalog/price-book.ts'
import type { Clocks } from '../../core/model/call.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Presence } from '../../core/model/ports.ts'
import { type Price, usdText } from '../../core/model/price.ts'
import type { DeploymentSettings, RouteSettings } from '../sections/routing.ts'
import type { Config, ProviderSettings } from '../settings.ts'
import { pairs, type Rows } from './table.ts'

/** Looks up prices at one moment. Undefined if the price is unknown. */
export type CurrentPrices = {
  readonly find: (
    provider: ProviderSettings,
    asked: Omit<PriceQuestion, 'provider'>,
  ) => KnownPrice | undefined
  /** Whether the provider has the model; undefined if unknown. */
  readonly presence?: (
    provider: ProviderSettings,
    asked: Pick<PriceQuestion, 'model'>,
  ) => Presence | undefined
  readonly epochMs: number
}

export const routeHeadings = [
  'routes',
  'strategy',
  'provider',
  'model there',
  'weight',
  'USD per million tokens',
  'source',
  'timeouts and retries',
] as const

/**
 * A row for each deployment of each route: provider, model, price, timeouts and retries. With `isWhole`, the provider's
 * own timeouts are included.
 */
export function routeRows({ routes, providers }: Config, prices: CurrentPrices, isWhole: boolean): Rows {
  return routes.flatMap((route) =>
    route.deployments.map((deployment, index) => {
      const provider = providers.find(({ name }) => name === deployment.provider)
      const isFirst = index === 0
      const mark = index === route.baseline ? ' (baseline)' : ''
      return [
        isFirst ? `  ${route.pattern}` : '',
        isFirst ? route.strategy : '',
        `${index + 1}. ${deployment.provider}${mark}`,
        deployment.model ?? 'as requested',
        weightOf(route, deployment),
        ...priceCells(route, deployment, provider, prices),
        boundsOf(deployment, isWhole ? provider : undefined),
      ]
    }),
  )
}

function weightOf({ strategy }: RouteSettings, { weight }: DeploymentSettings): string {
  return String(weight ?? (strategy === 'weighted' ? 1 : ''))
}

/** The current price and its source, and the day on which the operator's next own price begins. */
function priceCells(
  { pattern }: RouteSettings,
  { price: own = [], model: name = pattern }: DeploymentSettings,
  provider: ProviderSettings | undefined,
  { find, presence, epochMs }: CurrentPrices,
): readonly [price: string, source: string] {
  const model = name.includes('*') ? undefined : name
  const known = provider && find(provider, { model, own })
  const next = nextDay(own, epochMs)
  const isOwn = known !== undefined && ownInForce(own, epochMs) !== undefined
  const coming = next === undefined ? '' : `${isOwn ? 'another' : 'own'} from ${next}`
  const absence = absenceText(provider && presence?.(provider, { model }))
  const joined = (...texts: readonly string[]) =>
    [...texts, coming, absence].filter((text) => text !== '').join(', ')
  if (known === undefined) return [model === undefined ? 'by model' : 'unknown', joined()]
  return [priceText(known.price), joined(sourceText(known))]
}

/** `retired since 2026-10-22 (now meta-models/Muse-Glimmer-30B)` or `not listed`; '' if the provider has the model. */
function absenceText(presence: Presence | undefined): string {
  if (presence === undefined || presence.state === 'listed') return ''
  const { state, sinceEpochMs, successor } = presence
  const what = { retired: 'retired', unlisted: 'not listed', unpriced: 'listed without a price' }[state]
  const since = sinceEpochMs === undefined ? '' : ` since ${dateAt(sinceEpochMs)}`
  return `${what}${since}${successor === undefined ? '' : ` (now ${successor})`}`
}

/** `own`, `listed 2026-11-23`, `shipped 2026-08-18`. */
function sourceText({ source, sinceEpochMs, isFirm }: KnownPrice): string {
  const since = sinceEpochMs === undefined ? '' : ` ${dateAt(sinceEpochMs)}`
  return `${source}${since}${isFirm ? '' : ', not confirmed'}`
}

function priceText(price: Price): string {
  const parts = [
    ['in', price.inputNanoUsdPerMillion],
    ['cached', price.cachedInputNanoUsdPerMillion],
    ['out', price.outputNanoUsdPerMillion],
    ['per second', price.nanoUsdPerSecond],
    ['per request', price.nanoUsdPerRequest],
  ] as const
  const known = parts.flatMap(([of, nano]) => (nano === undefined ? [] : [`${shortUsd(nano)} ${of}`]))
  return known.join(', ')
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
