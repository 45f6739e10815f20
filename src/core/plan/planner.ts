import { createPromptSizes, type PromptSizes } from '../account/prompt-size.ts'
import type { Drains } from '../health/drains.ts'
import type { DeploymentReport, HealthRegistry } from '../health/health-registry.ts'
import type { AnyCall, Steering } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import type { Clock, Deployment, Random, Route } from '../model/ports.ts'
import type { ExpectedCost, PlanNote } from '../model/record/record.ts'
import type { StrategyName, Usage } from '../model/terms.ts'
import { type CandidateCache, createCandidateCache } from './candidate-cache.ts'
import { copyOf } from './candidate-slot.ts'
import { type Explanation, explainedCandidates } from './explain.ts'
import { choicesOf, createOutputHabits, type OutputHabits } from './output-habit.ts'
import { expectedCosts, planNote } from './plan-note.ts'
import { type ListedModel, longestPlan, type Plan, planOf, type Router } from './router.ts'
import { type PrefixKey, prefixKeyOf, type Stickiness } from './stickiness.ts'
import type { Candidate } from './strategies/candidate.ts'
import { order } from './strategies/strategies.ts'
import { clarified, type Successors, successorsFor } from './successors.ts'
import { isBounded, needsOf, type Removal, refusalOf, steer, suitable } from './suitability.ts'
import { tenantRejection } from './tenant-filter.ts'

/** Decides where a call runs and in what order its deployments are tried, by current health, prices and habits. */
export interface Planner {
  /**
   * Throws a Failure when the model is unknown, when no upstream has a key for it, or when no deployment can take it.
   */
  plan(call: AnyCall): Planned
  /** The decision that `plan` would make now, with its reasons. Changes nothing. */
  explain(call: AnyCall): Explanation
  deployments(): readonly DeploymentReport[]
  models(): readonly ListedModel[]
  ownerOf(model: string): string | undefined
}

export type Planned = {
  /** The deployments to try in order, repeated where retries are allowed. */
  readonly plan: Plan
  readonly baseline: Deployment
  /** For the record of the call. */
  readonly note: PlanNote
  /** Explains a failure of the whole plan to the caller, if more is known about the model. */
  readonly clarify?: ((thrown: unknown) => unknown) | undefined
  /** Records how the call went, to plan better next time. */
  learn(usage: Usage, isEstimated: boolean, deploymentId: string): void
}

export type PlannerParts = {
  readonly router: Router
  readonly standings: HealthRegistry
  /** Undefined: routing ignores where prompts are cached. */
  readonly stickiness: Stickiness | undefined
  /** Attempts per call over all deployments; undefined: three, or as many as one deployment's retries ask for. */
  readonly attempts: number | undefined
  /** Successors of models that are gone; undefined: none are known. */
  readonly successors?: Successors | undefined
  /** Undefined: nothing can be drained. */
  readonly drains?: Pick<Drains, 'version'> | undefined
  readonly clock: Clock
  readonly random: Random
}

export function createPlanner(parts: PlannerParts): Planner {
  const { router, standings } = parts
  const work: Work = {
    ...parts,
    sizes: createPromptSizes(),
    habits: createOutputHabits(),
    caches: new WeakMap(),
  }
  const planSole = solePlanner(work)
  return {
    plan(call) {
      try {
        const route = routeOf(call, work)
        return hasChoice(call, route, work) ? choose(call, work) : planSole(call, route)
      } catch (thrown) {
        throw clarified(thrown, call, work)
      }
    },
    explain: (call) => explain(call, work),
    deployments: () => standings.snapshot(),
    models: () => router.models(),
    ownerOf: (model) => router.ownerOf(model),
  }
}

/** The planner's inputs, and what it has learnt from calls. */
type Work = PlannerParts & {
  readonly sizes: PromptSizes
  readonly habits: OutputHabits
  readonly caches: WeakMap<Route, CandidateCache>
}

/** The first of the models the caller accepts that is served here. */
function routeOf(call: AnyCall, work: Work): Route {
  const { router } = work
  if (call.steering === undefined && router.ownerOf(call.model) !== undefined)
    return router.routeOf(call.model, call.tenant?.allowsModel)
  const known = modelsOf(call, work).find((model) => router.ownerOf(model) !== undefined)
  return router.routeOf(known ?? call.model, call.tenant?.allowsModel)
}

function modelsOf(call: AnyCall, work: Work): readonly string[] {
  const { model, steering } = call
  const after = successorsFor(call, work)
  if (steering === undefined && after.length === 0) return [model]
  return [...new Set([model, ...(steering?.models ?? []), ...after])]
}

function hasChoice(call: AnyCall, { deployments }: Route, work: Work): boolean {
  if (call.steering !== undefined || deployments.length > 1 || deployments[0]?.weight === 0) return true
  return successorsFor(call, work).length > 0
}

function baselineOf({ baseline, deployments: [first] }: Route): Deployment {
  const deployment = baseline ?? first
  if (deployment === undefined) throw new TypeError('A route has at least one deployment.')
  return deployment
}

/** A plan with a single candidate needs no ranking: it is made once and cached. */
function solePlanner(work: Work): (call: AnyCall, route: Route) => Planned {
  const { router, attempts, standings, sizes } = work
  const plans = new WeakMap<Deployment, Planned>()
  return (call, route) => {
    router.admitted(route, call.credential)
    const sole = ofModel(baselineOf(route), call.model, call)
    const rejection = call.tenant && tenantRejection(call.tenant, sole)
    if (rejection !== undefined) throw refusalOf([rejection])
    const { traits, gone } = sole
    if (gone !== undefined || sole.isDrained === true || isBounded(traits)) {
      const promptTokens = traits.contextTokens === undefined ? 0 : sizes.estimate(call)
      const standing = standings.trackOf(sole).standing()
      const { id, upstream, weight } = sole
      const candidate = {
        deployment: sole,
        ...{ id, upstream, weight, traits, gone },
        expectedNanoUsd: undefined,
        isUnmeasured: false,
        standing,
      }
      const { kept, removed } = suitable([candidate], needsOf(call, promptTokens), undefined)
      if (kept.length === 0) throw refusalOf(removed)
    }
    const known = plans.get(sole)
    if (known !== undefined) return known
    const { pattern, strategy } = route
    const note = { strategy, route: pattern, order: [sole.id], leftOut: [], expected: [] }
    const requested = { model: call.model, credential: undefined }
    const clarify =
      (work.successors?.of(call.model).length ?? 0) === 0
        ? undefined
        : (thrown: unknown) => clarified(thrown, requested, work)
    const planned = { plan: planOf([sole], attempts), baseline: sole, note, clarify, learn: nothing }
    plans.set(sole, planned)
    return planned
  }
}

function nothing(): void {}

function choose(call: AnyCall, work: Work): Planned {
  const { router, stickiness, attempts, sizes, habits } = work
  const weighed = weighEach(call, work, false)
  const [only] = weighed
  const chosen = only && weighed.length === 1 ? only.ordered : weighed.flatMap(({ ordered }) => ordered)
  if (chosen.length === 0) throw refusalOf(weighed.flatMap(({ removed }) => removed))
  const key = only?.prefixKey
  const first = modelsOf(call, work).find((model) => router.ownerOf(model) !== undefined) ?? call.model
  const tried = call.steering?.allowFallbacks === false ? chosen.slice(0, 1) : chosen
  return {
    plan: planOf(tried, attempts),
    baseline: ofModel(baselineOf(router.routeOf(first)), first, call),
    note: planNote(weighed, tried),
    clarify: weighed.some(hasGone)
      ? (thrown) => clarified(thrown, call, work, weighed.flatMap(goneIn))
      : undefined,
    learn({ prompt_tokens: promptTokens, completion_tokens: completionTokens }, isEstimated, deploymentId) {
      if (!isEstimated) sizes.learn(call, promptTokens)
      habits.learn(call, completionTokens)
      if (key !== undefined) stickiness?.remember(key, deploymentId, promptTokens)
    },
  }
}

/** One model's deployments, weighed for one call. */
type Weighed = {
  readonly model: string
  readonly route: Route
  readonly strategy: StrategyName
  readonly promptTokens: number
  readonly expectedTokens: number
  /** Includes those that do not admit the caller's credential. */
  readonly all: readonly Candidate[]
  readonly candidates: readonly Candidate[]
  readonly removed: readonly Removal[]
  readonly ordered: readonly Deployment[]
  /** Costs of the first few. Computed at once, because the candidate objects are reused by the next call. */
  readonly expected: readonly ExpectedCost[]
  readonly prefixKey: PrefixKey | undefined
}

/** Weighs every model that the caller accepts and that is served here. Throws the error of the first if none is. */
function weighEach(call: AnyCall, work: Work, isDryRun: boolean): readonly Weighed[] {
  const known = modelsOf(call, work).filter((model) => work.router.ownerOf(model) !== undefined)
  const models = known.length === 0 ? [call.model] : known
  const weighed: Weighed[] = []
  let failure: Failure | undefined
  for (const model of models) {
    try {
      weighed.push(weigh(call, model, work, isDryRun))
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown
      failure ??= thrown
    }
  }
  if (weighed.length === 0 && failure !== undefined) throw failure
  return weighed
}

function weigh(call: AnyCall, model: string, work: Work, isDryRun: boolean): Weighed {
  const { router, stickiness, clock, random, sizes, habits } = work
  const { credential, steering, tenant } = call
  const route = router.routeOf(model)
  const strategy = steering?.strategy ?? tenant?.strategy ?? route.strategy
  const promptTokens = sizes.estimate(call)
  const expectedTokens = habits.expect(call)
  const now = clock.now()
  const cache = cacheOf(route, work)
  const { isOpen } = cache
  // First, so that nothing is cached for a model requested without a key.
  if (!isOpen && !isDryRun) router.admitted(route, credential)
  const set = cache.of(model, now)
  const { incumbent } = set
  const updated = set.update(
    { promptTokens, completionTokens: expectedTokens, choices: choicesOf(call) },
    now,
  )
  const isCalm = set.isCalm()
  const all = isDryRun ? updated.map(copyOf) : updated
  const candidates = isOpen ? all : all.filter(({ upstream }) => upstream.admits(credential))
  const rejected =
    tenant === undefined ? [] : candidates.flatMap((one) => tenantRejection(tenant, one.deployment) ?? [])
  const allowed =
    rejected.length === 0
      ? candidates
      : candidates.filter((one) => !rejected.some(({ deployment }) => deployment === one.deployment))
  const needs = needsOf(call, promptTokens)
  const filtered =
    allowed === updated && steering === undefined ? set.suitability.filterCandidates(needs) : undefined
  const { kept, removed: unsuitable } = suitable(allowed, needs, steering, { filtered, isCalm })
  const removed = rejected.length === 0 ? unsuitable : [...rejected, ...unsuitable]
  const ranked = order(strategy, kept, {
    random,
    expectedTokens,
    incumbent: isDryRun ? { ...incumbent } : incumbent,
    places: placesFor(steering, set.places, kept.length),
    isCalm,
  })
  const prefixKey =
    stickiness && set.isSticky && strategy !== 'first' ? prefixKeyOf(call, credential) : undefined
  const preferred =
    prefixKey === undefined ? ranked : (stickiness?.prefer(prefixKey, ranked, promptTokens, kept) ?? ranked)
  const chosen = steer(preferred, steering).slice(0, steering === undefined ? set.places : longestPlan)
  const ordered = chosen.map(({ deployment }) =>
    model === call.model ? deployment : replacement(deployment, model, call, work),
  )
  const summary = { model, route, strategy, promptTokens, expectedTokens }
  return { ...summary, all, candidates, removed, ordered, prefixKey, expected: expectedCosts(chosen) }
}

/** How many leading candidates matter. A caller that orders providers may put the last one first. */
function placesFor(steering: Steering | undefined, usual: number, all: number): number {
  if (steering === undefined) return usual
  return steering.order.length === 0 ? longestPlan : all
}

function cacheOf(route: Route, { caches, standings, attempts, drains }: Work): CandidateCache {
  const known = caches.get(route)
  if (known !== undefined) return known
  const cache = createCandidateCache(route, standings, attempts, drains)
  caches.set(route, cache)
  return cache
}

/** The deployment for a model that the call did not name; the answer names that model. */
function replacement(deployment: Deployment, model: string, call: AnyCall, work: Work): Deployment {
  const made = ofModel(deployment, model, call)
  return successorsFor(call, work).includes(model) ? { ...made, successor: model } : made
}

function hasGone({ removed }: Weighed): boolean {
  return removed.some(({ filter }) => filter === 'gone')
}

function goneIn({ removed }: Weighed): readonly Removal[] {
  return removed.filter(({ filter }) => filter === 'gone')
}

/** A deployment that uses the caller's spelling gets the name of the model being tried, not the call's own. */
function ofModel(deployment: Deployment, model: string, call: AnyCall): Deployment {
  const { forModel, upstreamModel } = deployment
  if (forModel !== undefined) return forModel(model)
  if (upstreamModel !== undefined || model === call.model) return deployment
  return { ...deployment, upstreamModel: model }
}

function explain(call: AnyCall, work: Work): Explanation {
  const weighed = weighEach(call, work, true)
  const [first] = weighed
  if (first === undefined) throw new TypeError('A call names at least one model.')
  const chosen = weighed.flatMap(({ ordered }) => ordered)
  const tried = call.steering?.allowFallbacks === false ? chosen.slice(0, 1) : chosen
  const places = tried.length === 0 ? [] : planOf(tried, work.attempts)
  return {
    model: call.model,
    pattern: first.route.pattern,
    strategy: first.strategy,
    promptTokens: first.promptTokens,
    expectedCompletionTokens: first.expectedTokens,
    candidates: weighed.flatMap(explainedCandidates),
    plan: places.map(({ id }) => id),
    places,
  }
}
