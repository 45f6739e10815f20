import type { Catalog } from './catalog.ts'

/** A route as data: the calls for a name, or for a pattern of names, and where they go, in order. */
export type DefaultRoute = {
  readonly pattern: string
  readonly strategy: 'fallback'
  readonly deployments: readonly [DefaultDeployment, ...DefaultDeployment[]]
}

/** A model at a provider; without a name it is asked for as the caller spelled it. */
export type DefaultDeployment = { readonly provider: string; readonly model?: string }

/**
 * Where models go when no configuration says it: to those of `availableProviders` that can run them, Pandotate last,
 * and every other name to Pandotate alone. A name that only Pandotate can run has no route of its own.
 */
export function defaultModels(
  { names }: Pick<Catalog, 'names'>,
  availableProviders: ReadonlySet<string>,
): readonly DefaultRoute[] {
  const fallback = availableProviders.has(pandotate.provider) ? [pandotate] : []
  const routes = names.flatMap(({ names: patterns, places }) => {
    const [first, ...rest] = places.filter(({ provider }) => availableProviders.has(provider))
    if (first === undefined) return []
    const deployments = [first, ...rest, ...fallback] as const
    return patterns.map((pattern) => ({ pattern, strategy: 'fallback' as const, deployments }))
  })
  const others = fallback.map((only) => ({
    pattern: '*',
    strategy: 'fallback' as const,
    deployments: [only] as const,
  }))
  return [...routes, ...others]
}

/** By a name: what stands nearest to it, where it has no living place. */
export function successorsIn({ names }: Pick<Catalog, 'names'>): (name: string) => readonly string[] {
  const byName = new Map(
    names.flatMap(({ names: all, successors = [] }) => all.map((name) => [name, successors] as const)),
  )
  return (name) => byName.get(name) ?? []
}

/** Knows the short names, and is asked for any name as it stands. */
const pandotate: DefaultDeployment = { provider: 'pandotate' }
