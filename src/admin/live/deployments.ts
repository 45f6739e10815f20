import * as z from 'zod'
import type { Drain } from '../../core/health/drains.ts'
import { Failure } from '../../core/model/failure.ts'
import { type AdminRoute, route } from '../route.ts'
import { data } from '../schemas.ts'
import { deploymentRow, placesIn, rowOf } from './deployment-row.ts'
import type { LiveParts } from './live.ts'

export type DeploymentParts = Omit<LiveParts, 'configuration' | 'current'> & {
  readonly current: () => Omit<ReturnType<LiveParts['current']>, 'explain'>
}

/** The health and price of each deployment; and draining one by hand. */
export function deploymentRoutes(parts: DeploymentParts): readonly AdminRoute[] {
  const { current, drains, now, note } = parts
  const rowsOf = (id?: string) => {
    const { gateway, routes } = current()
    const places = placesIn(routes)
    const reports = gateway.deployments().filter((report) => id === undefined || report.id === id)
    return reports.map((report) => rowOf(report, places.get(report.id), drains.of(report.id)))
  }
  const drained = (id: string, by: string, drain: Drain | undefined) => {
    const [row] = rowsOf(id)
    if (row === undefined) throw noDeployment()
    const before = drains.of(id)
    if (drain === undefined) drains.end(id)
    else drains.begin(id, drain)
    if (before !== undefined || drain !== undefined) {
      const action = drain === undefined ? 'deployment.undrain' : 'deployment.drain'
      const [said, saidBefore] = [drain, before].map((one) => one && { reason: one.reason ?? null })
      note(by, {
        action,
        subject: { kind: 'deployment', id },
        before: saidBefore ?? null,
        after: said ?? null,
      })
    }
    return { data: rowsOf(id)[0] }
  }
  const drainPath = '/admin/api/deployments/{+id}/drain'
  return [
    route({
      ...{ method: 'get', path: '/admin/api/deployments', role: 'read', tag: 'deployments', status: 200 },
      summary:
        'Lists deployments with their health, prices and drains, and the models last requested at each',
      answer: data(z.array(deploymentRow)),
      handle: () => ({ data: rowsOf() }),
    }),
    route({
      ...{ method: 'post', path: drainPath, role: 'admin', tag: 'deployments', status: 200 },
      summary:
        'Takes a deployment out of use: it gets no new calls, and its running calls finish. It lasts until it is ' +
        'undone, or the gateway restarts',
      body: z.strictObject({ reason: z.string().max(200).optional() }),
      answer: data(deploymentRow),
      handle: ({ path, body, by }) =>
        drained(path['id'] ?? '', by, { sinceEpochMs: now(), by, reason: body.reason }),
    }),
    route({
      ...{ method: 'delete', path: drainPath, role: 'admin', tag: 'deployments', status: 200 },
      summary: 'Puts a drained deployment back in use',
      answer: data(deploymentRow),
      handle: ({ path, by }) => drained(path['id'] ?? '', by, undefined),
    }),
    routesRoute(parts),
  ]
}

function noDeployment(): Failure {
  const message = 'No deployment has this id: GET /admin/api/deployments lists them.'
  return new Failure('not_found', message, { param: 'id', code: 'deployment_not_found' })
}

const routeRow = z.object({
  pattern: z.string(),
  strategy: z.string(),
  baseline: z.string().nullable(),
  deployments: z.array(z.object({ id: z.string(), provider: z.string(), weight: z.number() })),
})

function routesRoute({ current }: DeploymentParts): AdminRoute {
  return route({
    ...{ method: 'get', path: '/admin/api/routes', role: 'read', tag: 'deployments', status: 200 },
    summary: 'Lists the models (or patterns of names) that callers may request, with their deployments',
    answer: z.object({ data: z.array(routeRow), models: z.array(z.string()), is_default: z.boolean() }),
    handle() {
      const { gateway, routes, config } = current()
      return {
        data: routes.map(({ pattern, strategy, baseline, deployments }) => ({
          ...{ pattern, strategy, baseline: baseline?.id ?? deployments[0]?.id ?? null },
          deployments: deployments.map(({ id, upstream, weight }) => ({
            id,
            provider: upstream.name,
            weight,
          })),
        })),
        models: gateway.models().map(({ id }) => id),
        is_default: config.routing.isDefault,
      }
    },
  })
}
