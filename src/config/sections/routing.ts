import type { Catalog } from '../../catalog/catalog.ts'
import { defaultModels } from '../../catalog/default-models.ts'
import type { OwnPrices } from '../../catalog/own-prices.ts'
import type { Clocks } from '../../core/model/call.ts'
import type { Traits } from '../../core/model/ports.ts'
import type { StrategyName } from '../../core/model/terms.ts'
import type { WrittenDeployment, WrittenModel } from './models.ts'
import { ownPrices } from './own-price.ts'

/** The route of a model name or a pattern of names. */
export type RouteSettings = {
  readonly pattern: string
  readonly strategy: StrategyName
  readonly deployments: readonly DeploymentSettings[]
  /** The index of the deployment for the savings baseline. Absent: the first. */
  readonly baseline?: number
}

/** A model at a provider. Absent values are the provider's; an absent model is the caller's. */
export type DeploymentSettings = {
  readonly provider: string
  readonly model?: string
  readonly clocks?: Partial<Clocks>
  readonly retries?: number
  readonly retryDelayMs?: number
  /** Absent: the provider's value. */
  readonly billing?: { readonly stopsOnAbort: boolean }
  /** Its share of calls with the strategy `weighted`. Absent: 1. */
  readonly weight?: number
  /** The operator's own prices. Absent: those of the price book. */
  readonly price?: OwnPrices
  readonly traits?: Traits
}

/** `models` of gateway.yaml after validation. */
export type Models = Readonly<Record<string, WrittenModel>>

/** The routes of the configured models, each followed by its aliases; undefined without `models`. */
export function routesOf(models: Models | undefined): readonly RouteSettings[] | undefined {
  if (models === undefined) return undefined
  return Object.entries(models).flatMap(([pattern, model]) => {
    const route = routeOf(pattern, model)
    return [route, ...model.aliases.map((alias) => aliasOf(route, alias))]
  })
}

/**
 * The routes without `models`. If providers have keys, a model goes to those that run it, and other models to
 * Pandotate. Otherwise everything goes to Pandotate, or to the demo routes if nothing is configured.
 */
export function defaultRoutes(
  catalog: Pick<Catalog, 'names'>,
  keyed: ReadonlySet<string>,
  isConfigured: boolean,
): readonly RouteSettings[] {
  if (keyed.size > 0) return defaultModels(catalog, new Set([...keyed, 'pandotate']))
  return isConfigured ? pandotateRoutes : demoRoutes
}

/** The routes without any configuration: Pandotate for callers with a Pandotate key, the simulator for all others. */
export const demoRoutes: readonly RouteSettings[] = [
  { pattern: '*', strategy: 'first', deployments: [{ provider: 'pandotate' }, { provider: 'simulator' }] },
]

/** Any name is sent unchanged to Pandotate. */
const pandotateRoutes: readonly RouteSettings[] = [
  { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
]

function routeOf(pattern: string, { route: strategy, deployments: written }: WrittenModel): RouteSettings {
  const baseline = written.findIndex((deployment) => deployment.baseline === true)
  const deployments = written.map(deploymentOf)
  return { pattern, strategy, deployments, ...(baseline === -1 ? {} : { baseline }) }
}

/** The route of an alias. The provider gets the model's name, not the alias. */
function aliasOf(route: RouteSettings, alias: string): RouteSettings {
  const named = route.pattern.includes('*') ? {} : { model: route.pattern }
  return { ...route, pattern: alias, deployments: route.deployments.map((one) => ({ ...named, ...one })) }
}

function deploymentOf(written: WrittenDeployment): DeploymentSettings {
  const { price, baseline, contextTokens, maxOutputTokens, inputsPerRequest, ...others } = written
  const { tools, jsonSchema, vision, logprobs, lowersMaxTokens, keepsBillingLine, ...rest } = others
  const bounds = { contextTokens, maxOutputTokens, inputsPerRequest }
  const settings = Object.entries({
    ...bounds,
    tools,
    jsonSchema,
    vision,
    logprobs,
    lowersMaxTokens,
    keepsBillingLine,
  })
  const traits: Traits = Object.fromEntries(settings.filter(([, value]) => value !== undefined))
  return {
    ...rest,
    ...(price === undefined ? {} : { price: ownPrices(price) }),
    ...(Object.keys(traits).length === 0 ? {} : { traits }),
  }
}
