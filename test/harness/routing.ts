import { createHealthRegistry, type HealthRegistry } from '../../src/core/health/health-registry.ts'
import type { Call } from '../../src/core/model/call.ts'
import type { Route } from '../../src/core/model/ports.ts'
import { createPlanner, type Planner } from '../../src/core/plan/planner.ts'
import { createRouter, type Plan, type Router } from '../../src/core/plan/router.ts'
import { createStickiness } from '../../src/core/plan/stickiness.ts'
import { aCall, timersClock } from './scripted-upstream.ts'

export type Planning = {
  readonly planner: Planner
  readonly standings: HealthRegistry
  readonly router: Router
}

/** A planner over routes, with nothing left to chance. */
export function planning(routes: readonly Route[], attempts?: number, mayBringKeys = true): Planning {
  const router = createRouter(routes, mayBringKeys)
  const ids = routes.flatMap(({ deployments }) => deployments.map(({ id }) => id))
  const standings = createHealthRegistry(ids, timersClock, () => 0.5)
  const stickiness = createStickiness(timersClock)
  const parts = { router, standings, stickiness, attempts, clock: timersClock, random: () => 0.5 }
  return { planner: createPlanner(parts), standings, router }
}

/** Where a call for a model is tried, in order. */
export function routing(
  routes: readonly Route[],
  attempts?: number,
  mayBringKeys = true,
): Router & { plan(model: string, credential: string | undefined, change?: Partial<Call>): Plan } {
  const { planner, router } = planning(routes, attempts, mayBringKeys)
  return {
    ...router,
    plan: (model, credential, change) => planner.plan(aCall({ model, credential, ...change })).plan,
  }
}
