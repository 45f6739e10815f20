import { isCounter } from '../../core/model/shared/is-counter.ts'
import type {
  AdmitRequest,
  Admittance,
  Allotment,
  Charge,
  CounterReading,
  HoldPart,
  NewHold,
  OpenHold,
  PlacesWanted,
  Rate,
  RateAmount,
  RateReading,
  Reservation,
} from '../../core/model/shared/state.ts'
import { createMemoryPools } from '../memory-pools.ts'
import { RedisUnavailable } from './connection.ts'
import { createLocalLimits } from './local-limits.ts'
import { createLocalMoney } from './local-money.ts'
import type { NodeView } from './node-view.ts'
import type { Outbox } from './outbox.ts'
import type { Slices } from './slices.ts'

/**
 * The behaviour while Redis is unavailable. `local`: continue within slices leased before. `closed`: refuse new calls
 * that have limits. `open`: admit everything, count it and report it later.
 */
export type OnLoss = 'local' | 'closed' | 'open'

/** The shared state of one node alone, from the loss of Redis until the reconnect. */
export interface Solo {
  reserve(hold: NewHold): Reservation
  grow(holdId: string, parts: readonly HoldPart[]): Reservation
  settle(holdId: string, charges: readonly Charge[]): boolean
  read(counter: string): CounterReading
  holdsOn(counter: string, end?: string): readonly OpenHold[]
  admit(request: AdmitRequest): Admittance
  refund(refunds: readonly RateAmount[]): void
  readRate(rate: Rate): RateReading
  release(leaseId: string): void
  allot(wanted: PlacesWanted): Allotment
  abandon(owner: string): readonly OpenHold[]
  /** To be called on reconnect: puts everything that Redis does not know yet into the outbox, including open holds. */
  rejoin(): void
  readonly spentNanoUsd: number
}

export type SoloParts = {
  readonly onLoss: OnLoss
  readonly owner: string
  readonly now: () => number
  readonly nodes: number
  readonly outbox: Outbox
  readonly view: NodeView
  readonly slices: Slices
  readonly reason: () => string
}

export function createSolo(parts: SoloParts): Solo {
  return new SoloNode(parts)
}

class SoloNode implements Solo {
  readonly #parts: SoloParts
  readonly #money: ReturnType<typeof createLocalMoney>
  readonly #limits: ReturnType<typeof createLocalLimits>
  readonly #pools = createMemoryPools()
  /** How many places this node's processes may have together, by pool. */
  readonly #poolLimits = new Map<string, number>()

  constructor(parts: SoloParts) {
    const { onLoss, owner, now, nodes, view, slices } = parts
    this.#parts = parts
    this.#money = createLocalMoney({
      owner,
      known: view.holds,
      seen: (counter) => view.spentOn(counter),
      sliceOf: (counter) => (onLoss === 'local' ? slices.of(counter) : Number.POSITIVE_INFINITY),
    })
    this.#limits = createLocalLimits({
      ...{ now, nodes: Math.max(1, nodes) },
      seenRate: (key) => view.rate(key),
      seenUsed: (slot) => view.used(slot),
      known: new Map(Array.from(view.leases.values(), ({ id, slots }) => [id, slots])),
    })
  }

  get spentNanoUsd(): number {
    return this.#money.spentNanoUsd
  }

  reserve(hold: NewHold): Reservation {
    this.#refuseIfClosed()
    this.#parts.slices.note(hold.parts)
    return this.#money.reserve(hold)
  }

  /** Not refused in `closed`: a call in flight continues. */
  grow(holdId: string, parts: readonly HoldPart[]): Reservation {
    return this.#money.grow(holdId, parts)
  }

  settle(holdId: string, charges: readonly Charge[]): boolean {
    const { outbox, view } = this.#parts
    const settlement = this.#money.settle(holdId, charges)
    view.forgetHold(holdId)
    if (settlement.step !== undefined) void outbox.push(settlement.step)
    for (const { counter, spentNanoUsd } of settlement.charges) void outbox.charge(counter, spentNanoUsd)
    return settlement.isOpen
  }

  read(counter: string): CounterReading {
    const seen = this.#parts.view.spentOn(counter)
    const here = this.#money.read(counter)
    return {
      spentNanoUsd: seen.spentNanoUsd + here.spentNanoUsd,
      heldNanoUsd: here.heldNanoUsd,
      uncertainNanoUsd: here.uncertainNanoUsd,
    }
  }

  holdsOn(counter: string, end?: string): readonly OpenHold[] {
    const holds = this.#money.holds()
    return holds.filter(({ parts }) => parts.some((part) => isCounter(part.counter, counter, end)))
  }

  admit(request: AdmitRequest): Admittance {
    this.#refuseIfClosed()
    const { onLoss } = this.#parts
    if (onLoss !== 'open') return this.#limits.admit(request)
    return this.#limits.admit({
      ...request,
      rates: request.rates.map((rate) => ({ ...rate, ...unlimited })),
      slots: request.slots.map((slot) => ({ ...slot, limit: Number.MAX_SAFE_INTEGER })),
    })
  }

  refund(refunds: readonly RateAmount[]): void {
    for (const refund of refunds) this.#limits.refund(refund)
  }

  readRate(rate: Rate): RateReading {
    return this.#limits.readRate(rate, 0)
  }

  release(leaseId: string): void {
    const { outbox, view } = this.#parts
    if (view.leases.has(leaseId)) void outbox.push(['L', leaseId])
    view.forgetLease(leaseId)
    this.#limits.release(leaseId)
  }

  allot(wanted: PlacesWanted): Allotment {
    return this.#pools.allot({ ...wanted, limit: this.#poolLimit(wanted) })
  }

  abandon(owner: string): readonly OpenHold[] {
    const { outbox, view } = this.#parts
    const left = this.#holdsOf(owner)
    for (const { id, parts } of left) {
      this.settle(
        id,
        parts.map(({ counter, nanoUsd }) => ({ counter, spentNanoUsd: 0, uncertainNanoUsd: nanoUsd })),
      )
    }
    for (const lease of [...view.leases.values(), ...this.#limits.leases()]) {
      if (lease.owner === owner) this.release(lease.id)
    }
    this.#pools.abandon(owner)
    view.forgetPools(owner)
    void outbox.push(['Q', owner])
    return left
  }

  rejoin(): void {
    const { outbox, view, slices, onLoss } = this.#parts
    for (const { id, owner, parts } of this.#money.holds()) {
      const amounts = parts.flatMap(({ counter, nanoUsd }) => [counter, nanoUsd])
      if (parts.length > 0) void outbox.push(['F', id, owner, parts.length, ...amounts])
      view.noteHold(id, owner, parts)
    }
    for (const lease of this.#limits.leases()) {
      void outbox.push(['P', lease.id, lease.owner, lease.slots.length, ...lease.slots])
      view.noteLease(lease)
    }
    if (onLoss === 'local') {
      for (const { amount, ...rate } of this.#limits.takenRates()) {
        if (amount !== 0) void outbox.refund({ ...rate, amount: -amount })
      }
    }
    // Last, so that the slices keep their amounts reserved until everything is reported.
    void outbox.push(['Z'])
    slices.clear()
  }

  /** The holds as known to Redis, plus their growth since then. */
  #holdsOf(owner: string): readonly OpenHold[] {
    const { view, owner: self } = this.#parts
    const sums = new Map<string, Map<string, number>>()
    for (const [id, parts] of view.holds) {
      if ((view.ownerOf(id) ?? self) === owner) sums.set(id, new Map(parts))
    }
    for (const hold of this.#money.holds()) {
      const known = sums.get(hold.id)
      if (known === undefined && hold.owner !== owner) continue
      const sum = known ?? new Map<string, number>()
      sums.set(hold.id, sum)
      for (const { counter, nanoUsd } of hold.parts) sum.set(counter, (sum.get(counter) ?? 0) + nanoUsd)
    }
    return Array.from(sums, ([id, parts]) => ({
      ...{ id, owner },
      parts: Array.from(parts, ([counter, nanoUsd]) => ({ counter, nanoUsd })),
    }))
  }

  /** The places of the node, plus its share of the free ones. */
  #poolLimit({ pool, limit }: PlacesWanted): number {
    const { onLoss, nodes, view } = this.#parts
    if (onLoss === 'open') return limit
    let most = this.#poolLimits.get(pool)
    if (most === undefined) {
      const { held = new Map<string, number>(), free = limit } = view.pools.get(pool) ?? {}
      for (const [owner, places] of held) this.#pools.replay(pool, owner, places)
      const part =
        onLoss === 'closed' ? 0 : Math.max(held.size === 0 ? 1 : 0, Math.floor(free / Math.max(1, nodes)))
      most = this.#pools.heldOf(pool) + part
      this.#poolLimits.set(pool, most)
    }
    return Math.min(most, limit)
  }

  #refuseIfClosed(): void {
    if (this.#parts.onLoss === 'closed') throw new RedisUnavailable(this.#parts.reason())
  }
}

const unlimited = { perMinute: 1e12, burst: 1e12 }
