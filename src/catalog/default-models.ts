import type { Catalog } from './catalog.ts'

/** A route as data: the calls for a name or a pattern, and their destinations in order. */
export type DefaultRoute = {
  readonly pattern: string
  readonly strategy: 'fallback'
  readonly deployments: readonly [DefaultDeployment, ...DefaultDeployment[]]
}

/** A model at a provider; without a name, the caller's spelling is used. */
export type DefaultDeployment = { readonly provider: string; readonly model?: string }

/**
 * Default destinations of models: those of `availableProviders` that can run them, Pandotate last, and all other names
 * at Pandotate alone. A name that only Pandotate can run has no route of its own.
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

/** Successors of a name, if all its destinations are gone. */
export function successorsIn({ names }: Pick<Catalog, 'names'>): (name: string) => readonly string[] {
  const byName = new Map(
    names.flatMap(({ names: all, successors = [] }) => all.map((name) => [name, successors] as const)),
  )
  return (name) => byName.get(name) ?? []
}

/** Pandotate accepts short names, and gets every name unchanged. */
const pandotate: DefaultDeployment = { provider: 'pandotate' }
