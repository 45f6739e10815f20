import type { Deployment, Route } from '../model/ports.ts'
import type { ExpectedCost, LeftOut, PlanNote } from '../model/record/record.ts'
import type { StrategyName } from '../model/terms.ts'
import type { Candidate } from './strategies/candidate.ts'
import type { Removal } from './suitability.ts'

/** One model's weighing, as far as the record of a call keeps it. */
export type NotedModel = {
  readonly route: Route
  readonly strategy: StrategyName
  readonly all: readonly Candidate[]
  readonly candidates: readonly Candidate[]
  readonly removed: readonly Removal[]
  readonly expected: readonly ExpectedCost[]
}

/** The part of a plan that its record keeps, bounded in size; `tried` are the deployments in order. */
export function planNote(models: readonly NotedModel[], tried: readonly Deployment[]): PlanNote {
  const [first] = models
  if (first === undefined) throw new TypeError('A call names at least one model.')
  return {
    strategy: first.strategy,
    route: first.route.pattern,
    order: tried.map(({ id }) => id),
    leftOut: models.length === 1 ? leftOutOf(first) : models.flatMap(leftOutOf),
    expected:
      models.length === 1 ? first.expected : models.flatMap((one) => one.expected).slice(0, mostExpected),
  }
}

/** The expected costs of the first few of an order. */
export function expectedCosts(ordered: readonly Candidate[]): readonly ExpectedCost[] {
  return ordered.slice(0, mostExpected).map(({ id, expectedNanoUsd: nanoUsd }) => ({
    deployment: id,
    nanoUsd: nanoUsd === undefined ? undefined : Math.round(nanoUsd),
  }))
}

const mostExpected = 3

function leftOutOf({ all, candidates, removed }: NotedModel): readonly LeftOut[] {
  const left = removed.map(({ deployment, filter }) => ({ deployment: deployment.id, why: filter as string }))
  if (all.length === candidates.length) return left
  const keyless = all.filter((candidate) => !candidates.includes(candidate))
  return [...left, ...keyless.map(({ id }) => ({ deployment: id, why: 'key' }))]
}
