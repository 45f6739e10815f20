import type { AnyCall } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import type { Deployment } from '../model/ports.ts'
import type { Router } from './router.ts'
import type { Removal } from './suitability.ts'
import { withSuccessors } from './unavailable.ts'

/** Successors of models that no provider has any more. */
export interface Successors {
  of(model: string): readonly string[]
  /** Calls are sent to the successor; otherwise the error names it. */
  readonly areTaken: boolean
}

export type SuccessorsParts = { readonly router: Router; readonly successors?: Successors | undefined }

/** The models that a call falls back to if its model is gone; empty if a provider still lists the model. */
export function successorsFor(
  { model, tenant }: Pick<AnyCall, 'model' | 'tenant'>,
  { router, successors }: SuccessorsParts,
): readonly string[] {
  if (successors?.areTaken !== true) return none
  const known = successors.of(model)
  if (known.length === 0 || isListed(model, router)) return none
  return known.filter((one) => isNamed(one, router) && tenant?.allowsModel?.(one) !== false)
}

const none: readonly string[] = []

/** Adds to a missing-model failure what is known of the model, and the successors that are served here. */
export function clarified(
  thrown: unknown,
  { model, credential }: Pick<AnyCall, 'model' | 'credential'>,
  { router, successors }: SuccessorsParts,
  gone: readonly Removal[] = [],
): unknown {
  if (!(thrown instanceof Failure) || !modelFailures.has(thrown.kind)) return thrown
  const reasons = [...new Set(gone.map(({ reason }) => reason))]
  const detailed =
    reasons.length === 0 ? thrown : thrown.saying(`${thrown.message} It ${reasons.join(', and it ')}.`)
  const all = successors?.of(model) ?? none
  const available = all.filter((one) => isNamed(one, router) && isAvailable(one, router, credential))
  return withSuccessors(detailed, available.length === 0 ? all : available)
}

const modelFailures: ReadonlySet<string> = new Set(['model_not_found', 'unauthorized', 'upstream_auth'])

function isListed(model: string, router: Router): boolean {
  if (router.ownerOf(model) === undefined) return false
  return deploymentsOf(model, router).some(({ presence }) => presence?.state === 'listed')
}

/** Has a route of its own: a catch-all route does not make a name a successor. */
function isNamed(model: string, router: Router): boolean {
  return router.ownerOf(model) !== undefined && !router.routeOf(model).pattern.includes('*')
}

function isAvailable(model: string, router: Router, credential: string | undefined): boolean {
  return deploymentsOf(model, router).some(
    ({ gone, upstream }) => gone === undefined && upstream.admits(credential),
  )
}

function deploymentsOf(model: string, router: Router): readonly Deployment[] {
  return router.routeOf(model).deployments.map((one) => one.forModel?.(model) ?? one)
}
