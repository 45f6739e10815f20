import type { Catalog } from '../../catalog/catalog.ts'
import { defaultModels } from '../../catalog/default-models.ts'
import type { OwnPrices } from '../../catalog/own-prices.ts'
import type { Clocks } from '../../core/model/call.ts'
import type { Traits } from '../../core/model/ports.ts'
import type { StrategyName } from '../../core/model/terms.ts'
import type { WrittenDeployment, WrittenModel } from './models.ts'
import { ownPrices } from './own-price.ts'

/** Where the calls for a name, or for a pattern of names, go. */
export type RouteSettings = {
  readonly pattern: string
  readonly strategy: StrategyName
  readonly deployments: readonly DeploymentSettings[]
  /** Which of the deployments savings are measured against; left out: the first. */
  readonly baseline?: number
}

/** A model at a provider; what is left out is as the caller (the model's name) or the provider has it. */
export type DeploymentSettings = {
  readonly provider: string
  readonly model?: string
  readonly clocks?: Partial<Clocks>
  readonly retries?: number
  readonly retryDelayMs?: number
  /** Left out: as its provider has it. */
  readonly billing?: { readonly stopsOnAbort: boolean }
  /** Its part of the calls where they are shared out by weight; left out: 1. */
  readonly weight?: number
  /** The operator's own word; left out: as the price book has it. */
  readonly price?: OwnPrices
  readonly traits?: Traits
}

/** `models` of gateway.yaml, once the schema has taken it. */
export type Models = Readonly<Record<string, WrittenModel>>

/** The routes that the file's models ask for, each followed by those of its aliases; undefined where it has none. */
export function routesOf(models: Models | undefined): readonly RouteSettings[] | undefined {
  if (models === undefined) return undefined
  return Object.entries(models).flatMap(([pattern, model]) => {
    const route = routeOf(pattern, model)
    return [route, ...model.aliases.map((alias) => aliasOf(route, alias))]
  })
}

/**
 * Where models go when the file has none: with providers that have a key, to those of them that run the model, and to
 * Pandotate for the rest, with our key or the caller's own.
 */
export function defaultRoutes(
  catalog: Pick<Catalog, 'names'>,
  keyed: ReadonlySet<string>,
  isConfigured: boolean,
): readonly RouteSettings[] {
  if (keyed.size > 0) return defaultModels(catalog, new Set([...keyed, 'pandotate']))
  return isConfigured ? pandotateRoutes : demoRoutes
}

/** Without any configuration at all: Pandotate for a caller who brings a key, the simulator for all others. */
export const demoRoutes: readonly RouteSettings[] = [
  { pattern: '*', strategy: 'first', deployments: [{ provider: 'pandotate' }, { provider: 'simulator' }] },
]

/** Any name goes to Pandotate as it stands. */
const pandotateRoutes: readonly RouteSettings[] = [
  { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
]

function routeOf(pattern: string, { route: strategy, deployments: written }: WrittenModel): RouteSettings {
  const baseline = written.findIndex((deployment) => deployment.baseline === true)
  const deployments = written.map(deploymentOf)
  return { pattern, strategy, deployments, ...(baseline === -1 ? {} : { baseline }) }
}

/** A provider knows the model by the name of its route, not by what else it is called here. */
function aliasOf(route: RouteSettings, alias: string): RouteSettings {
  const named = route.pattern.includes('*') ? {} : { model: route.pattern }
  return { ...route, pattern: alias, deployments: route.deployments.map((one) => ({ ...named, ...one })) }
}

function deploymentOf(written: WrittenDeployment): DeploymentSettings {
  const { price, baseline, contextTokens, maxOutputTokens, inputsPerRequest, ...others } = written
  const { tools, jsonSchema, vision, logprobs, lowersMaxTokens, keepsBillingLine, ...rest } = others
  const bounds = { contextTokens, maxOutputTokens, inputsPerRequest }
  const told = Object.entries({
    ...bounds,
    tools,
    jsonSchema,
    vision,
    logprobs,
    lowersMaxTokens,
    keepsBillingLine,
  })
  const traits: Traits = Object.fromEntries(told.filter(([, value]) => value !== undefined))
  return {
    ...rest,
    ...(price === undefined ? {} : { price: ownPrices(price) }),
    ...(Object.keys(traits).length === 0 ? {} : { traits }),
  }
}
