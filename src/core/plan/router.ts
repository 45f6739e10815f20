import { Failure } from '../model/failure.ts'
import { didYouMean } from '../model/json/nearest.ts'
import { isMadeOf } from '../model/pattern.ts'
import type { Deployment, Route } from '../model/ports.ts'

/** Finds where a model may run. Pure: the same routes, model and credential give the same answer. */
export interface Router {
  readonly routes: readonly Route[]
  /**
   * The route of a model: exact names before patterns, longer patterns before shorter. Throws `model_not_found`, which
   * suggests the nearest models among those that `allows` accepts; absent: all.
   */
  routeOf(model: string, allows?: (model: string) => boolean): Route
  /**
   * The route's deployments that accept the credential, in the written order; never empty. Throws `unauthorized` if
   * callers may bring their own key for one of them, else `upstream_auth`: then the operator has to set a key, and the
   * failure's note names the setting.
   */
  admitted(route: Route, credential: string | undefined): readonly Deployment[]
  /** The first upstream of a model's route; undefined if no route matches. */
  ownerOf(model: string): string | undefined
  /**
   * Model names to list: those of exact routes with deployments, those that upstreams of patterns are known to have,
   * and those that providers list.
   */
  models(): readonly ListedModel[]
}

/** Deployments in the order of attempts. One may occur more than once. */
export type Plan = readonly [Deployment, ...Deployment[]]

/** A model as callers may name it, and the upstream that runs it. */
export type ListedModel = { readonly id: string; readonly ownedBy: string }

/** Models without a route that providers list. */
export interface ListedRoutes {
  /** Returns the same route object for a model as long as the same providers list it; undefined: no provider does. */
  routeOf(model: string): Route | undefined
  models(): readonly ListedModel[]
  /** They rank before pattern routes and after exact names. */
  readonly goBeforePatterns: boolean
}

/** `mayBringKeys`: a caller's bearer token is their own upstream key, not a key of this gateway. */
export function createRouter(
  routes: readonly Route[],
  mayBringKeys = true,
  listedRoutes?: ListedRoutes,
): Router {
  const exact = new Map(routes.filter(({ pattern }) => !pattern.includes('*')).map((r) => [r.pattern, r]))
  const patterns = routes
    .filter(({ pattern }) => pattern.includes('*'))
    .toSorted((one, other) => literalLength(other.pattern) - literalLength(one.pattern))
    .map((route) => ({ route, pieces: route.pattern.split('*') }))
  const fitting = (model: string) => patterns.find(({ pieces }) => isMadeOf(model, pieces))?.route
  const find = (model: string) =>
    exact.get(model) ??
    (listedRoutes?.goBeforePatterns === true
      ? (listedRoutes.routeOf(model) ?? fitting(model))
      : (fitting(model) ?? listedRoutes?.routeOf(model)))
  return {
    routes,
    routeOf(model, allows) {
      const route = find(model)
      if (route === undefined) throw unknownModel(model, namesOf(routes, allows))
      return route
    },
    admitted({ deployments }, credential) {
      const admits = ({ upstream }: Deployment) => upstream.admits(credential)
      if (deployments.every(admits)) return deployments
      const admitted = deployments.filter(admits)
      if (admitted.length === 0) throw noKey(deployments, mayBringKeys)
      return admitted
    },
    ownerOf: (model) => find(model)?.deployments[0]?.upstream.name,
    models() {
      const listed = new Map<string, ListedModel>()
      for (const { pattern, deployments } of routes) {
        if (isGone(deployments)) continue
        for (const { upstream } of deployments) {
          const names = pattern.includes('*')
            ? upstream.knownModels.filter((name) => find(name)?.pattern === pattern)
            : [pattern]
          for (const id of names) if (!listed.has(id)) listed.set(id, { id, ownedBy: upstream.name })
        }
      }
      for (const model of listedRoutes?.models() ?? []) if (!listed.has(model.id)) listed.set(model.id, model)
      return [...listed.values()]
    },
  }
}

/** True if some providers lost the model, and all remaining deployments need a key from the caller. */
function isGone(deployments: readonly Deployment[]): boolean {
  const left = deployments.filter(({ gone }) => gone === undefined)
  return left.length < deployments.length && !left.some(({ upstream }) => upstream.admits(undefined))
}

/**
 * Every deployment once, then again those that allow retries, and so on. By default the number of attempts follows from
 * the retries.
 */
export function planOf(chosen: readonly Deployment[], attempts: number | undefined): Plan {
  let retries = 0
  for (const { retry } of chosen) retries = Math.max(retries, retry.retries)
  const limit = attempts ?? attemptsFor(retries)
  const plan = chosen.slice(0, limit)
  for (let round = 1; round <= retries && plan.length < limit; round++) {
    for (const deployment of chosen) {
      if (plan.length < limit && round <= deployment.retry.retries) plan.push(deployment)
    }
  }
  if (!isPlan(plan)) throw new TypeError('A plan is made of at least one deployment.')
  return plan
}

/** The number of leading candidates that can get into the plan. */
export function placesOf(deployments: readonly Deployment[], attempts: number | undefined): number {
  const retries = new Set(deployments.map(({ retry }) => retry.retries))
  const [common] = retries
  const limit = attempts ?? (retries.size === 1 && common !== undefined ? attemptsFor(common) : longestPlan)
  return Math.min(limit, longestPlan)
}

/** The most attempts that a call can have. */
export const longestPlan = 20

/** Attempts per call by default: three, unless a deployment asks for more. */
function attemptsFor(retries: number): number {
  return Math.max(3, retries + 1)
}

function isPlan(deployments: readonly Deployment[]): deployments is Plan {
  return deployments.length > 0
}

/**
 * The error for a model that is not served here. It suggests the nearest of `names`, which must be models that the
 * caller may use.
 */
export function unknownModel(model: string, names?: Iterable<string>): Failure {
  const shown = model.length > 200 ? `${model.slice(0, 200)}…` : model
  const unknown = `The model \`${shown}\` does not exist or you do not have access to it.`
  const message =
    names === undefined ? unknown : `${unknown}${didYouMean(model, names)} GET /v1/models lists them all.`
  return new Failure('model_not_found', message, { param: 'model' })
}

/** The routes that are listed to callers. */
function namesOf(
  routes: readonly Route[],
  allows: (model: string) => boolean = () => true,
): readonly string[] {
  const names = routes.flatMap(({ pattern, deployments }) =>
    pattern.includes('*') ? deployments.flatMap(({ upstream }) => upstream.knownModels) : [pattern],
  )
  return names.filter(allows)
}

function noKey(deployments: readonly Deployment[], mayBringKeys: boolean): Failure {
  const upstreams = deployments.map(({ upstream }) => upstream)
  const settings = new Set(upstreams.map(({ name, keySetting }) => keySetting ?? `the key of ${name}`))
  const set = `Set ${anyOf.format(settings)}`
  const forms = new Set(upstreams.flatMap(({ callerKey }) => callerKey ?? []))
  const message = 'No upstream can take this call: the gateway has no key for it'
  if (!mayBringKeys || forms.size === 0) {
    return new Failure('upstream_auth', `${message}.`, { operatorNote: `${set}.` })
  }
  return new Failure('unauthorized', `${message}, and the request brought none.`, {
    operatorNote: `${set}, or have callers send a key of their own (${anyOf.format(forms)}) as a bearer token.`,
  })
}

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })

function literalLength(pattern: string): number {
  return pattern.replaceAll('*', '').length
}
