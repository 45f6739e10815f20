import type {
  AdmitRequest,
  Admittance,
  CounterReading,
  HoldPart,
  PlacesWanted,
} from '../../core/model/shared/state.ts'
import type { Lease, SeenRate } from './local-limits.ts'

/** A node's view of the shared state: its own part, and the last known state of the rest. */
export interface NodeView {
  /** Its holds, as in Redis. */
  readonly holds: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Their owners, if not this process. */
  ownerOf(holdId: string): string | undefined
  readonly leases: ReadonlyMap<string, Lease>
  noteHold(id: string, owner: string, parts: readonly Pick<HoldPart, 'counter' | 'nanoUsd'>[]): void
  forgetHold(id: string): void
  noteLease(lease: Lease): void
  forgetLease(id: string): void
  noteAdmittance(request: AdmitRequest, admittance: Admittance): void
  /** `free`: places of the pool that no process has. */
  noteAllotment(wanted: PlacesWanted, places: number, free: number): void
  forgetPools(owner: string): void
  noteSpent(field: 's' | 'm' | 'u', counter: string, nanoUsd: number): void
  /** The amounts of a counter, as in Redis. */
  noteCounter(counter: string, amounts: Omit<SeenCounter, 'counter'>): void
  spentOn(counter: string): CounterReading
  counters(): readonly SeenCounter[]
  rate(key: string): SeenRate | undefined
  used(slot: string): number | undefined
  readonly pools: ReadonlyMap<string, SeenPool>
}

/** A pool of places: those of this node's processes, and how many were free at the last update. */
export type SeenPool = { readonly held: ReadonlyMap<string, number>; readonly free: number }

export type SeenCounter = {
  readonly counter: string
  readonly s: number
  readonly m: number
  readonly u: number
}

export function createNodeView(now: () => number): NodeView {
  return new View(now)
}

class View implements NodeView {
  readonly holds = new Map<string, Map<string, number>>()
  readonly leases = new Map<string, Lease>()
  readonly pools = new Map<string, { readonly held: Map<string, number>; free: number }>()
  readonly #now: () => number
  readonly #owners = new Map<string, string>()
  readonly #counters = new Map<string, { s: number; m: number; u: number }>()
  readonly #rates = new Map<string, SeenRate>()
  readonly #used = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  ownerOf(holdId: string): string | undefined {
    return this.#owners.get(holdId)
  }

  noteHold(id: string, owner: string, parts: readonly Pick<HoldPart, 'counter' | 'nanoUsd'>[]): void {
    const hold = this.holds.get(id) ?? new Map<string, number>()
    this.holds.set(id, hold)
    if (owner !== '') this.#owners.set(id, owner)
    for (const { counter, nanoUsd } of parts) hold.set(counter, (hold.get(counter) ?? 0) + nanoUsd)
  }

  forgetHold(id: string): void {
    this.holds.delete(id)
    this.#owners.delete(id)
  }

  noteLease(lease: Lease): void {
    this.leases.set(lease.id, lease)
  }

  forgetLease(id: string): void {
    this.leases.delete(id)
  }

  noteAdmittance({ leaseId, owner, rates, slots }: AdmitRequest, admittance: Admittance): void {
    const at = this.#now()
    for (const [index, { key }] of rates.entries()) {
      keepLatest(this.#rates, key, { resetMs: admittance.rates[index]?.resetMs ?? 0, at })
    }
    for (const [index, { key }] of slots.entries()) {
      keepLatest(this.#used, key, admittance.slots[index]?.used ?? 0)
    }
    if (!admittance.isAdmitted || slots.length === 0) return
    this.noteLease({ id: leaseId, owner, slots: slots.map(({ key }) => key) })
  }

  noteAllotment({ pool: name, owner }: PlacesWanted, places: number, free: number): void {
    const pool = this.pools.get(name) ?? { held: new Map<string, number>(), free }
    this.pools.set(name, pool)
    pool.free = free
    if (places > 0) pool.held.set(owner, places)
    else pool.held.delete(owner)
  }

  forgetPools(owner: string): void {
    for (const { held } of this.pools.values()) held.delete(owner)
  }

  noteSpent(field: 's' | 'm' | 'u', counter: string, nanoUsd: number): void {
    const seen = this.#counters.get(counter) ?? { s: 0, m: 0, u: 0 }
    // Spent amounts only grow, and answers may arrive out of order.
    seen[field] = field === 'u' ? nanoUsd : Math.max(seen[field], nanoUsd)
    keepLatest(this.#counters, counter, seen)
  }

  noteCounter(counter: string, { s, m, u }: Omit<SeenCounter, 'counter'>): void {
    this.noteSpent('s', counter, s)
    this.noteSpent('m', counter, m)
    this.noteSpent('u', counter, u)
  }

  spentOn(counter: string): CounterReading {
    const { s, m, u } = this.#counters.get(counter) ?? { s: 0, m: 0, u: 0 }
    return { spentNanoUsd: s + m, heldNanoUsd: 0, uncertainNanoUsd: u }
  }

  counters(): readonly SeenCounter[] {
    return Array.from(this.#counters, ([counter, seen]) => ({ counter, ...seen }))
  }

  rate(key: string): SeenRate | undefined {
    return this.#rates.get(key)
  }

  used(slot: string): number | undefined {
    return this.#used.get(slot)
  }
}

/** Keeps the most recent entries, up to a limit. */
function keepLatest<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= mostSeen) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

const mostSeen = 50_000
