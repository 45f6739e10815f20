import type { PriceBook } from '../../catalog/price-book.ts'
import type { Deployment, Route } from '../../core/model/ports.ts'
import type { ListedModel, ListedRoutes } from '../../core/plan/router.ts'
import { createDeployment, type RoutesParts } from './deployments.ts'
import { isListing } from './provider-lists.ts'

export type ListedRoutesParts = RoutesParts & {
  /** Where any other name may go, after the providers that list it. */
  readonly others: readonly Deployment[]
}

/** The routes of models that providers list, and the deployments that they are made of. */
export type Listed = ListedRoutes & { readonly deployments: readonly Deployment[] }

/**
 * A model listed by providers that we have a key for goes to them, in the order of the configuration, if it is
 * requested by its full name. Undefined if the configuration turns this off.
 */
export function createListedRoutes(parts: ListedRoutesParts): Listed | undefined {
  const { config, upstreams, book, others } = parts
  if (!config.routing.listed || !config.catalog.lists) return undefined
  const asked = [...upstreams.values()].filter((one) => one.listModels !== undefined && isListing(one))
  const places = new Map(
    asked.map(({ name }) => [name, createDeployment('*', { provider: name }, parts)] as const),
  )
  const routes = new Map<string, Route>()
  const routeTo = (providers: readonly string[]): Route => {
    const key = JSON.stringify(providers)
    const known = routes.get(key)
    if (known !== undefined) return known
    const deployments = [...providers.flatMap((name) => places.get(name) ?? []), ...others]
    const route: Route = { pattern: '*', strategy: 'fallback', deployments }
    routes.set(key, route)
    return route
  }
  const providersOf = createIndex(book, [...places.keys()])
  return {
    deployments: [...places.values()],
    goBeforePatterns: config.routing.isDefault,
    routeOf(model) {
      const providers = providersOf().get(model)
      return providers && routeTo(providers)
    },
    models: () => Array.from(providersOf(), ([id, [ownedBy = '']]): ListedModel => ({ id, ownedBy })),
  }
}

/** Which providers have which model. Computed once for each state of the price book. */
function createIndex(book: PriceBook, providers: readonly string[]) {
  let index: ReadonlyMap<string, readonly string[]> = new Map()
  let version = -1
  return () => {
    if (version === book.version) return index
    const made = new Map<string, string[]>()
    for (const provider of providers) {
      for (const model of book.served(provider)) {
        const before = made.get(model)
        if (before === undefined) made.set(model, [provider])
        else before.push(provider)
      }
    }
    index = made
    version = book.version
    return index
  }
}
