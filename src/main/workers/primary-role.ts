import type { Logger } from 'pino'
import type { ProviderList } from '../../catalog/kept-lists.ts'
import type { Config } from '../../config.ts'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import type { LogOutput } from '../../telemetry/output.ts'
import type { LastingTimes } from '../reload/snapshot.ts'
import type { Joined, Role } from '../role.ts'
import { type Books, openBooks } from '../tenants/books.ts'
import { alertsBy } from '../tenants/tenants.ts'
import { announcedUpstreams } from './announced-upstreams.ts'
import { createCounts, type OwnedValues } from './counts.ts'
import { sumReports } from './deployment-sum.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { listenWithin } from './inner-server.ts'
import { observeDrains } from './observed-drains.ts'
import { createPrimaryService, type PrimaryService } from './primary-service.ts'
import type { WorkerStart } from './worker-start.ts'

export type PrimaryParts = {
  readonly config: Config
  readonly count: number
  readonly version: string
  readonly log: Logger
  /** Receives the lines that workers log. */
  readonly output: Pick<LogOutput, 'writeBytes'>
}

/**
 * The process that owns what exists once for all workers: keys, money, records, the state of upstreams and the
 * management API. It answers no calls.
 */
export function primaryRole(parts: PrimaryParts): { readonly role: Role; readonly fleet: Fleet } {
  const { config, log } = parts
  const lists = new Map<string, ProviderList>()
  const drains = observeDrains((deployment, drain) => fleet.tell('drain', deployment, drain))
  const now: Now = {
    books: undefined,
    joined: undefined,
    socketPath: '',
    config,
    port: undefined,
    reports: [],
  }
  const desk = createPrimaryService({ fleet: () => fleet, send: alertsBy(log), epochMs: Date.now })
  const counts = createCounts()
  const fleet = fleetOf(parts, now, { desk, counts, lists, drains })
  const role: Role = {
    async openBooks(given, clock, its, opening) {
      now.books = await openBooks(given, clock, its, opening, desk.heard)
      desk.open(now.books)
      return now.books
    },
    listen: (listener, _config, more) => listen(fleet, now, () => listenWithin(listener, more)),
    ...announcedUpstreams(() => fleet, lists),
    drains: drains.over,
    shown: (own) => ({
      ...own,
      gateway: { ...own.gateway, deployments: () => sumReports([own.gateway.deployments(), ...now.reports]) },
    }),
    surface: (own) => ({
      ...own,
      adminRoutes: own.adminRoutes.map((route) => ofAll(route, fleet, now)),
      metrics: {
        contentType: own.metrics.contentType,
        text: async () => {
          const values = (await now.joined?.metrics.values()) ?? []
          return await counts.sum(values, (await fleet.askAll('metrics')) as readonly OwnedValues[])
        },
      },
      shedding: { ...own.shedding, reason: desk.overload },
    }),
    join(joined) {
      now.joined = joined
    },
    async pass(next) {
      now.config = next
      await fleet.askAll('take', next)
    },
  }
  return { role, fleet }
}

/** Values that the primary learns, or that change, while it runs. */
type Now = {
  books: Books | undefined
  joined: Joined | undefined
  socketPath: string
  config: Config
  /** The workers' port, if the system chose it: it must stay the same when all workers are replaced. */
  port: number | undefined
  /** When each worker was last asked. */
  reports: readonly (readonly DeploymentReport[])[]
}

type FleetsOwn = {
  readonly desk: PrimaryService
  readonly counts: ReturnType<typeof createCounts>
  readonly lists: ReadonlyMap<string, ProviderList>
  readonly drains: ReturnType<typeof observeDrains>
}

function fleetOf(
  { count, log, output, version }: PrimaryParts,
  now: Now,
  { desk, counts, lists, drains }: FleetsOwn,
): Fleet {
  const start = (owner: string): WorkerStart => ({
    config: { ...now.config, port: now.port ?? now.config.port },
    ...{ version, owner, socketPath: now.socketPath, lists, drains: drains.all() },
    isKept: now.books?.journal !== undefined,
    tenants: Object.fromEntries(
      (now.books?.tenants.projections ?? []).map((one) => [one.name, one.snapshot()]),
    ),
  })
  return createFleet({
    ...{ count, log, output },
    nameOf: (index) => `${now.books?.shared.owner}-w${index}`,
    attend(worker, owner) {
      const leave = desk.attend(worker, owner)
      worker.serve({ start: () => start(owner) })
      return async (isLost) => {
        counts.keep(owner)
        await leave(isLost)
      }
    },
  })
}

async function listen(
  fleet: Fleet,
  now: Now,
  listenInside: () => ReturnType<typeof listenWithin>,
): ReturnType<Role['listen']> {
  const inner = await listenInside()
  now.socketPath = inner.socketPath
  try {
    const url = await fleet.start()
    if (now.config.port === 0) now.port = Number(new URL(url).port) || undefined
    return {
      url,
      // Each worker renews its own.
      renew() {},
      async close() {
        await fleet.ended
        await inner.close()
        await inner[Symbol.asyncDispose]()
      },
      cut() {
        fleet.kill()
        inner.cut()
      },
    }
  } catch (thrown) {
    await inner.close()
    await inner[Symbol.asyncDispose]()
    throw thrown
  }
}

type AdminRoute = LastingTimes['app']['adminRoutes'][number]

/** Sees the state of all workers, and answers once a change is in effect in all of them. */
function ofAll(route: AdminRoute, fleet: Fleet, now: Now): AdminRoute {
  return {
    ...route,
    async handle(ask) {
      if (route.path.startsWith('/admin/api/deployments')) {
        now.reports = (await fleet.askAll('deployments')) as Now['reports']
      }
      const answer: unknown = await route.handle(ask)
      await fleet.askAll('settled')
      return answer
    },
  }
}
