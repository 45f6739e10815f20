import type { Candidate } from './candidate.ts'
import { expectedNanoUsd } from './expected-cost.ts'
import type { Explanation } from './explain.ts'
import type { AnyCall, StrategyName, Usage } from './model.ts'
import { createOutputHabits, type OutputHabits } from './output-habit.ts'
import type { Clock, Deployment, Random, Route } from './ports.ts'
import type { Price } from './price.ts'
import { createPromptSizes, type PromptSizes } from './prompt-size.ts'
import { type ListedModel, type Plan, planOf, type Router } from './router.ts'
import type { DeploymentReport, Standings } from './standings.ts'
import { type PrefixKey, prefixKeyOf, type Stickiness } from './stickiness.ts'
import type { Incumbent } from './strategies/strategy.ts'
import { order, scores } from './strategies.ts'
import { needsOf, type Removal, refusalOf, steer, suitable } from './suitability.ts'

/** Decides where a call runs, and in what order its deployments are tried, by what is known at that moment. */
export interface Planner {
  /** Throws a Failure when the model is not known, when no upstream has a key for it, or when none can take it. */
  plan(call: AnyCall): Planned
  /** Why `plan` would decide as it would. Changes nothing. */
  explain(call: AnyCall): Explanation
  deployments(): readonly DeploymentReport[]
  models(): readonly ListedModel[]
  ownerOf(model: string): string | undefined
}

export type Planned = {
  /** The deployments to try, in order, the same one again where it may be retried. */
  readonly plan: Plan
  readonly baseline: Deployment
  /** Takes in how the call went, to know better next time. */
  learn(usage: Usage, isEstimated: boolean, deploymentId: string): void
}

export type PlannerParts = {
  readonly router: Router
  readonly standings: Standings
  /** Undefined: callers are not kept where their prompts are cached. */
  readonly stickiness: Stickiness | undefined
  /** At all deployments together; undefined: three, or as many as one deployment's retries ask for. */
  readonly attempts: number | undefined
  readonly clock: Clock
  readonly random: Random
}

export function createPlanner(parts: PlannerParts): Planner {
  const { router, standings, attempts } = parts
  const memory: Memory = {
    sizes: createPromptSizes(),
    habits: createOutputHabits(),
    incumbents: new Map(router.routes.map((route) => [route, { id: undefined }])),
  }
  /** Where there is nothing to choose, nothing is weighed: those plans are made once. */
  const soleplans = new WeakMap<Deployment, Planned>()
  return {
    plan(call) {
      const route = routeOf(call, router)
      if (hasChoice(call, route)) return choose(call, parts, memory)
      router.admitted(route, call.credential)
      const sole = ofModel(baselineOf(route), call.model, call)
      let planned = soleplans.get(sole)
      if (planned === undefined) {
        planned = { plan: planOf([sole], attempts), baseline: sole, learn: nothing }
        soleplans.set(sole, planned)
      }
      return planned
    },
    explain: (call) => explain(call, parts, memory),
    deployments: () => standings.snapshot(),
    models: () => router.models(),
    ownerOf: (model) => router.ownerOf(model),
  }
}

/** What calls have taught. */
type Memory = {
  readonly sizes: PromptSizes
  readonly habits: OutputHabits
  readonly incumbents: ReadonlyMap<Route, Incumbent>
}

/** The first of the models a caller would take that is served here. */
function routeOf(call: AnyCall, router: Router): Route {
  const known = modelsOf(call).find((model) => router.ownerOf(model) !== undefined)
  return router.routeOf(known ?? call.model)
}

function modelsOf({ model, steering }: AnyCall): readonly string[] {
  return steering === undefined ? [model] : [...new Set([model, ...steering.models])]
}

function hasChoice({ steering }: AnyCall, { deployments }: Route): boolean {
  return steering !== undefined || deployments.length > 1 || deployments[0]?.weight === 0
}

function baselineOf({ baseline, deployments: [first] }: Route): Deployment {
  const deployment = baseline ?? first
  if (deployment === undefined) throw new TypeError('A route has at least one deployment.')
  return deployment
}

function nothing(): void {}

function choose(call: AnyCall, parts: PlannerParts, memory: Memory): Planned {
  const { router, stickiness, attempts } = parts
  const known = modelsOf(call).filter((model) => router.ownerOf(model) !== undefined)
  const weighed = (known.length === 0 ? [call.model] : known).map((model) =>
    weigh(call, model, parts, memory),
  )
  const [only] = weighed
  const chosen = only && weighed.length === 1 ? only.ordered : weighed.flatMap(({ ordered }) => ordered)
  if (chosen.length === 0) throw refusalOf(weighed.flatMap(({ removed }) => removed))
  const key = only?.prefixKey
  const first = known[0] ?? call.model
  const tried = call.steering?.allowFallbacks === false ? chosen.slice(0, 1) : chosen
  return {
    plan: planOf(tried, attempts),
    baseline: ofModel(baselineOf(router.routeOf(first)), first, call),
    learn({ prompt_tokens: promptTokens, completion_tokens: completionTokens }, isEstimated, deploymentId) {
      if (!isEstimated) memory.sizes.learn(call, promptTokens)
      memory.habits.learn(call, completionTokens)
      if (key !== undefined) stickiness?.remember(key, deploymentId, promptTokens)
    },
  }
}

/** One model's deployments, weighed for one call. */
type Weighed = {
  readonly route: Route
  readonly strategy: StrategyName
  readonly promptTokens: number
  readonly expectedTokens: number
  readonly candidates: readonly Candidate[]
  readonly removed: readonly Removal[]
  readonly ordered: readonly Deployment[]
  readonly prefixKey: PrefixKey | undefined
}

function weigh(
  call: AnyCall,
  model: string,
  { router, standings, stickiness, clock, random }: PlannerParts,
  { sizes, habits, incumbents }: Memory,
  isDryRun = false,
): Weighed {
  const route = router.routeOf(model)
  const strategy = call.steering?.strategy ?? route.strategy
  const promptTokens = sizes.estimate(call)
  const expectedTokens = habits.expect(call)
  const now = clock.now()
  const candidates: Candidate[] = []
  let isSticky = false
  for (const admitted of router.admitted(route, call.credential)) {
    const deployment = ofModel(admitted, model, call)
    const standing = standings.standingOf(deployment.id, now)
    const { maxOutputTokens = Number.POSITIVE_INFINITY } = deployment.traits
    const completionTokens = Math.min(expectedTokens, maxOutputTokens)
    const { firstTokenMs, tokensPerSecond } = standing
    const expected = { promptTokens, cachedTokens: 0, completionTokens, firstTokenMs, tokensPerSecond }
    const { price } = deployment
    isSticky ||= isCheaperCached(price)
    candidates.push({ deployment, expectedNanoUsd: expectedNanoUsd(price, expected), standing })
  }
  const { kept, removed } = suitable(candidates, needsOf(call, promptTokens), call.steering)
  const incumbent = incumbents.get(route) ?? { id: undefined }
  const ordered = order(strategy, kept, {
    random,
    expectedTokens,
    incumbent: isDryRun ? { ...incumbent } : incumbent,
  })
  const prefixKey =
    stickiness && isSticky && strategy !== 'first' ? prefixKeyOf(call, call.credential) : undefined
  const preferred =
    prefixKey === undefined ? ordered : (stickiness?.prefer(prefixKey, ordered, promptTokens) ?? ordered)
  return {
    ...{ route, strategy, promptTokens, expectedTokens, candidates, removed, prefixKey },
    ordered: steer(preferred, call.steering).map(({ deployment }) => deployment),
  }
}

function isCheaperCached(price: Price): boolean {
  const { inputNanoUsdPerMillion: input, cachedInputNanoUsdPerMillion: cachedInput } = price
  return input !== undefined && cachedInput !== undefined && cachedInput < input
}

/** A deployment that goes by the caller's spelling is asked for the model that is tried, not for the call's own. */
function ofModel(deployment: Deployment, model: string, call: AnyCall): Deployment {
  const { forModel, upstreamModel } = deployment
  if (forModel !== undefined) return forModel(model)
  if (upstreamModel !== undefined || model === call.model) return deployment
  return { ...deployment, upstreamModel: model }
}

function explain(call: AnyCall, parts: PlannerParts, memory: Memory): Explanation {
  const { router, attempts } = parts
  const known = modelsOf(call).filter((model) => router.ownerOf(model) !== undefined)
  const models = known.length === 0 ? [call.model] : known
  const weighed = models.map((model) => weigh(call, model, parts, memory, true))
  const [first] = weighed
  if (first === undefined) throw new TypeError('A call names at least one model.')
  const chosen = weighed.flatMap(({ ordered }) => ordered)
  const tried = call.steering?.allowFallbacks === false ? chosen.slice(0, 1) : chosen
  return {
    model: call.model,
    pattern: first.route.pattern,
    strategy: first.strategy,
    promptTokens: first.promptTokens,
    expectedCompletionTokens: first.expectedTokens,
    candidates: weighed.flatMap((each, at) => explainedOf(each, models[at] ?? call.model)),
    plan: tried.length === 0 ? [] : planOf(tried, attempts).map(({ id }) => id),
  }
}

function explainedOf(weighed: Weighed, model: string): Explanation['candidates'] {
  const { strategy, candidates, removed, expectedTokens } = weighed
  const scored = scores(strategy, candidates, { expectedTokens })
  return candidates.map(({ deployment, expectedNanoUsd: expected, standing }, at) => {
    const removal = removed.find((one) => one.deployment === deployment)
    return {
      deployment: deployment.id,
      provider: deployment.upstream.name,
      upstreamModel: deployment.upstreamModel ?? model,
      expectedNanoUsd: expected,
      score: scored[at],
      breaker: standing.breaker,
      share: standing.share,
      removedBy: removal && { filter: removal.filter, reason: removal.reason },
    }
  })
}
