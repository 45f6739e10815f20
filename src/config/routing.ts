import type { Clocks } from '../core/model.ts'

/** Where the calls for a name, or for a pattern of names, go. */
export type RouteSettings = {
  readonly pattern: string
  readonly strategy: 'fallback' | 'first'
  readonly deployments: readonly DeploymentSettings[]
}

/** A model at a provider; what is left out is as the caller (the model's name) or the provider has it. */
export type DeploymentSettings = {
  readonly provider: string
  readonly model?: string
  readonly clocks?: Partial<Clocks>
  readonly retries?: number
  readonly retryDelayMs?: number
}

/** `models` of gateway.yaml, once the schema has taken it. */
export type Models = Readonly<
  Record<string, { route: RouteSettings['strategy']; deployments: readonly DeploymentSettings[] }>
>

/** The routes that the file's models ask for: those and no others. */
export function routesOf(models: Models): readonly RouteSettings[] {
  return Object.entries(models).map(([pattern, { route, deployments }]) => ({
    pattern,
    strategy: route,
    deployments,
  }))
}

/** Without models: any name goes to Pandotate as it stands. */
export const pandotateRoutes: readonly RouteSettings[] = [
  { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
]

/** Without any configuration at all: Pandotate for a caller who brings a key, the simulator for all others. */
export const demoRoutes: readonly RouteSettings[] = [
  { pattern: '*', strategy: 'first', deployments: [{ provider: 'pandotate' }, { provider: 'simulator' }] },
]
