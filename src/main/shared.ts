import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { announceFreed, createSharedPlaces, type SharedPlaces } from '../core/health/shared-places.ts'
import type { Clock } from '../core/model/ports.ts'
import type { SharedBus } from '../core/model/shared/bus.ts'
import type { SharedCache } from '../core/model/shared/cache.ts'
import type { SharedState } from '../core/model/shared/state.ts'
import { createMemoryState } from '../state/memory.ts'
import { createMemoryBus } from '../state/memory-bus.ts'
import { createMemoryCache } from '../state/memory-cache.ts'
import type { ReplayedMoney } from '../tenants/budgets/money-projection.ts'
import { counterKeepMs } from '../tenants/budgets/windows.ts'

/** The state that the processes of one gateway share, and the name of this process. */
export type Shared = AsyncDisposable & {
  readonly state: SharedState
  readonly cache: SharedCache
  readonly bus: SharedBus
  /** The concurrency of providers; undefined: this process has all of it. */
  readonly places: SharedPlaces | undefined
  /** The state to rebuild from this process's journal. Undefined: it outlasts the process. */
  readonly money: ReplayedMoney | undefined
  /** This process. */
  readonly owner: string
  /** The health of the engine that holds the shared state. Undefined: there is none. */
  readonly report: (() => SharedReport) | undefined
  /** There is no other process, so its answers need not go through the shared cache. */
  readonly isAlone: boolean
}

export type SharedReport = {
  readonly engine: 'redis'
  readonly isUp: boolean
  readonly onLoss: Config['shared']['onLoss']
  readonly losses: number
  readonly latencyMs: number
  readonly nodes: number
  readonly leasedNanoUsd: number
  readonly untold: number
}

/** The only place that chooses the engine of the shared state. */
export async function openShared(config: Config, clock: Clock, log: Logger): Promise<Shared> {
  const owner = `node-${randomBytes(8).toString('hex')}`
  const { url } = config.shared.redis
  return url === undefined
    ? inMemory(clock, owner)
    : await overRedis(config.shared, url, { clock, owner, log })
}

function inMemory(clock: Clock, owner: string): Shared {
  const state = createMemoryState(clock)
  return {
    state,
    cache: createMemoryCache(clock),
    bus: createMemoryBus(),
    places: undefined,
    money: state.money,
    owner,
    report: undefined,
    isAlone: true,
    async [Symbol.asyncDispose]() {},
  }
}

type Node = { readonly clock: Clock; readonly owner: string; readonly log: Logger }

async function overRedis(
  settings: Config['shared'],
  url: string,
  { clock, owner, log }: Node,
): Promise<Shared> {
  const { onLoss, leasePercent, goneAfterMs, redis } = settings
  const { openRedis } = await import('../state/redis/redis.ts')
  const shared = await openRedis({
    ...{ owner, onLoss, leasePart: leasePercent / 100, goneAfterMs, now: clock.now },
    keepMs: counterKeepMs,
    settings: { ...redis, urls: url.split(',') },
    events: {
      up: () => log.info({ node: owner }, 'Redis is available: budgets and limits are shared'),
      down: (reason) => log.warn({ reason, onLoss }, 'Redis is unavailable'),
      swept(node, holds) {
        log.warn({ node, holds: holds.length }, 'another node is gone: what it held is uncertain')
        announceFreed(shared.bus)
      },
    },
  })
  if (!shared.report().isUp) log.warn({ reason: shared.report().reason, onLoss }, 'Redis is unavailable')
  const { state, cache, bus } = shared
  const places = createSharedPlaces({ state, bus, owner, clock })
  return {
    ...{ state, cache, bus, places, money: undefined, owner, isAlone: false },
    report: () => ({ engine: 'redis', onLoss, ...shared.report() }),
    async [Symbol.asyncDispose]() {
      places[Symbol.dispose]()
      await shared[Symbol.asyncDispose]()
    },
  }
}
