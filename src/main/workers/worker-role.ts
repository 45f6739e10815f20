import type { Config } from '../../config.ts'
import type { Drain } from '../../core/health/drains.ts'
import { createSharedPlaces } from '../../core/health/shared-places.ts'
import { noJournal, type StateEntry } from '../../core/model/journal.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { Generation } from '../../core/model/record/call-line.ts'
import { forwardTo } from '../../http/middleware/forward.ts'
import { listen } from '../../http/server.ts'
import type { Peer } from '../../state/primary/peer.ts'
import { createPrimaryBus } from '../../state/primary/primary-bus.ts'
import { createPrimaryCache } from '../../state/primary/primary-cache.ts'
import { createPrimaryResponses } from '../../state/primary/primary-responses.ts'
import { createPrimaryState } from '../../state/primary/primary-state.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import type { Joined, Role } from '../role.ts'
import { changesOf } from '../tenants/admin.ts'
import type { Books } from '../tenants/books.ts'
import { tenantsFor } from '../tenants/tenants.ts'
import { createCommits } from './commits.ts'
import { followFeed } from './feed.ts'
import type { Pulse } from './primary-service.ts'
import type { WorkerStart } from './worker-start.ts'

/**
 * A process that answers calls, and owns only what it learns of upstreams from its calls. Keys and limits are copies of
 * the primary's; money, shared answers and records are the primary's.
 */
export function workerRole(primary: Peer, start: WorkerStart): WorkersRole {
  const uses = new Map<string, number>()
  let joined: Joined | undefined
  const feed = followFeed(primary, start)
  const tenantsLine = createLine<StateEntry>()
  primary.serve({ tenants: tenantsLine.put })
  const role: Role = {
    async openBooks(config, clock) {
      const books = await openWorkersBooks({ primary, start, config, clock, uses })
      tenantsLine.pass((entry) => follow(books.tenants, entry))
      return books
    },
    listen,
    readLists: feed.readLists,
    startProbes: feed.startProbes,
    drains(own) {
      for (const [deployment, drain] of start.drains) own.begin(deployment, drain)
      primary.serve({
        drain(deployment: string, drain: Drain | undefined) {
          if (drain === undefined) own.end(deployment)
          else own.begin(deployment, drain)
        },
      })
      return own
    },
    shown: (own) => own,
    surface(own) {
      const { generations } = own
      // Asks only this worker: it does not ask the others.
      primary.serve({
        generation: (id: string, tenant: string | undefined) =>
          tenant === undefined ? generations.findAny(id) : generations.find(id, tenant),
      })
      const elsewhere = (id: string, tenant?: string) =>
        primary.ask('generation', id, tenant) as Promise<Generation | undefined>
      return {
        ...own,
        generations: {
          ...generations,
          find: (id, tenant) => generations.find(id, tenant) ?? elsewhere(id, tenant),
          findAny: (id) => generations.findAny(id) ?? elsewhere(id),
        },
        forward: forwardTo({ socketPath: start.socketPath, isForwarded }),
      }
    },
    join(parts) {
      joined = parts
      join(primary, parts, start.owner)
    },
    pass: () => undefined,
  }
  return {
    role,
    pulse() {
      const pulse: Pulse = { overload: joined?.app.shedding.reason(), uses: [...uses] }
      uses.clear()
      return pulse
    },
  }
}

/** Its state since it was last asked, for its primary. */
export type WorkersRole = { readonly role: Role; pulse(): Pulse }

/** The routes of the gateway as a whole: the primary answers management requests, and knows the shared state. */
function isForwarded(path: string): boolean {
  return /^\/(?:admin|console)(?:\/|$)/.test(path) || ofGateway.has(path)
}

const ofGateway: ReadonlySet<string> = new Set(['/metrics', '/health', '/readyz'])

type BooksParts = {
  readonly primary: Peer
  readonly start: WorkerStart
  readonly config: Config
  readonly clock: Clock
  /** Receives when each key was last used. */
  readonly uses: Map<string, number>
}

async function openWorkersBooks({ primary, start, config, clock, uses }: BooksParts): Promise<Books> {
  const commits = start.isKept ? createCommits(primary) : undefined
  const written = commits && { charge: commits.charge, settle: commits.settle }
  const state = { ...createPrimaryState(primary), ...written }
  const bus = createPrimaryBus(primary)
  const places = createSharedPlaces({ state, bus, owner: start.owner, clock })
  const shared = {
    ...{ state, bus, places, cache: createPrimaryCache(primary), money: undefined, owner: start.owner },
    report: undefined,
    isAlone: false,
    async [Symbol.asyncDispose]() {
      places[Symbol.dispose]()
    },
  }
  const tenants = tenantsFor(config, clock, shared, {
    send: (alert, post, counter) => primary.tell('alert', alert, post, counter),
    used: (key, epochMs) => void uses.set(key, epochMs),
  })
  for (const projection of tenants.projections) projection.restore(start.tenants[projection.name])
  const journal = commits?.journal
  await tenants.open(journal ?? noJournal)
  const responses = createPrimaryResponses(primary)
  // The primary makes changes of keys.
  const changes = changesOf(tenants)
  const madeKey = { require: () => Promise.resolve(), keep: () => Promise.resolve() }
  return { shared, tenants, changes, madeKey, ledger: undefined, journal, responses }
}

/** Applies a change that the primary made. */
function follow(tenants: Tenants, entry: StateEntry): void {
  for (const projection of tenants.projections) projection.apply(entry)
  if (entry.type === 'admin' && entry.subject.kind === 'user') tenants.users.forget(entry.subject.id)
}

/** Messages that arrive before there is a reader wait. */
function createLine<Entry>() {
  let waiting: Entry[] = []
  let take = (entry: Entry): void => {
    waiting.push(entry)
  }
  return {
    put: (entry: Entry) => take(entry),
    pass(taker: (entry: Entry) => void) {
      take = taker
      for (const entry of waiting) taker(entry)
      waiting = []
    },
  }
}

/** What the primary may ask of a worker. */
function join(primary: Peer, { current, take, metrics }: Joined, owner: string): void {
  primary.serve({
    take,
    settled: () => true,
    metrics: async () => ({ owner, values: await metrics.values() }),
    deployments: () => current().gateway.deployments().map(withoutProbe),
  })
}

/** Probes belong to the primary. */
function withoutProbe<Report extends { readonly probe: unknown }>(report: Report): Report {
  return { ...report, probe: undefined }
}
