import type {
  AdmitRequest,
  Admittance,
  Rate,
  RateAmount,
  RateReading,
  Slot,
  SlotReading,
} from '../../core/model/shared/state.ts'
import { type FullAt, readingOf, refunded, taken } from '../gcra.ts'

/**
 * Rates and places of one node while Redis is unavailable. Each node has an equal share of a rate, from its last known
 * state. Of places, it has its own and an equal share of the free ones.
 */
export interface LocalLimits {
  admit(request: AdmitRequest): Admittance
  refund(refund: RateAmount): void
  readRate(rate: Rate, amount: number): RateReading
  release(leaseId: string): void
  /** The amounts taken from each rate since then, to be reported to Redis. */
  takenRates(): readonly RateAmount[]
  /** The leases that Redis does not know. */
  leases(): readonly Lease[]
}

export type Lease = { readonly id: string; readonly owner: string; readonly slots: readonly string[] }

/** The last known state of a limit, with its time on the node's own clock. */
export type SeenRate = { readonly resetMs: number; readonly at: number }

export type LocalLimitsParts = {
  readonly now: () => number
  readonly nodes: number
  readonly seenRate: (key: string) => SeenRate | undefined
  /** Places in use, over all nodes. */
  readonly seenUsed: (slot: string) => number | undefined
  /** The node's own leases, as in Redis. */
  readonly known: ReadonlyMap<string, readonly string[]>
}

export function createLocalLimits(parts: LocalLimitsParts): LocalLimits {
  return new Limits(parts)
}

class Limits implements LocalLimits {
  readonly #parts: LocalLimitsParts
  readonly #fullAt = new Map<string, FullAt>()
  readonly #taken = new Map<string, { readonly rate: Rate; amount: number }>()
  readonly #used = new Map<string, number>()
  readonly #limits = new Map<string, number>()
  /** Slots of leases of both kinds: known to Redis, and taken here. */
  readonly #slots: Map<string, readonly string[]>
  readonly #own = new Map<string, Lease>()

  constructor(parts: LocalLimitsParts) {
    this.#parts = parts
    this.#slots = new Map(parts.known)
    for (const slots of parts.known.values()) for (const slot of slots) this.#count(slot, 1)
  }

  admit({ leaseId, owner, rates, slots }: AdmitRequest): Admittance {
    const before = rates.map((rate) => this.readRate(rate, rate.amount))
    const places = slots.map((slot) => this.#readSlot(slot))
    if (before.some(({ retryAfterMs }) => retryAfterMs > 0) || places.some(({ isFull }) => isFull)) {
      return { isAdmitted: false, rates: before, slots: places }
    }
    for (const rate of rates) this.#take(rate, rate.amount)
    if (slots.length > 0 && !this.#slots.has(leaseId)) {
      const lease = { id: leaseId, owner, slots: slots.map(({ key }) => key) }
      this.#own.set(leaseId, lease)
      this.#slots.set(leaseId, lease.slots)
      for (const slot of lease.slots) this.#count(slot, 1)
    }
    return {
      isAdmitted: true,
      rates: rates.map((rate) => this.readRate(rate, 0)),
      slots: places.map(({ used }) => ({ used: used + 1, isFull: false })),
    }
  }

  refund({ amount, ...rate }: RateAmount): void {
    const now = this.#parts.now()
    const part = this.#partOf(rate)
    this.#fullAt.set(rate.key, refunded(this.#full(part, now), part, amount, now))
    this.#note(rate, -amount)
  }

  readRate(rate: Rate, amount: number): RateReading {
    const now = this.#parts.now()
    const part = this.#partOf(rate)
    const reading = readingOf(this.#full(part, now), part, amount, now)
    if (reading.retryAfterMs !== Number.POSITIVE_INFINITY || amount > rate.burst) return reading
    // The amount fits once the nodes share the limit again, so callers need not reduce it.
    return { ...reading, retryAfterMs: reading.resetMs + 1000 }
  }

  release(leaseId: string): void {
    for (const slot of this.#slots.get(leaseId) ?? []) this.#count(slot, -1)
    this.#slots.delete(leaseId)
    this.#own.delete(leaseId)
  }

  takenRates(): readonly RateAmount[] {
    return Array.from(this.#taken.values(), ({ rate, amount }) => ({ ...rate, amount }))
  }

  leases(): readonly Lease[] {
    return [...this.#own.values()]
  }

  #take(rate: Rate, amount: number): void {
    const now = this.#parts.now()
    const part = this.#partOf(rate)
    this.#fullAt.set(rate.key, taken(this.#full(part, now), part, amount, now))
    this.#note(rate, amount)
  }

  #note({ key, perMinute, burst }: Rate, amount: number): void {
    const known = this.#taken.get(key)
    if (known === undefined) this.#taken.set(key, { rate: { key, perMinute, burst }, amount })
    else known.amount += amount
  }

  #partOf({ key, perMinute, burst }: Rate): Rate {
    const { nodes } = this.#parts
    return { key, perMinute: perMinute / nodes, burst: Math.max(1, burst / nodes) }
  }

  /** A share is as full as the whole was. It fills proportionally, so the time is the same. */
  #full({ key }: Rate, now: number): FullAt {
    const known = this.#fullAt.get(key)
    if (known !== undefined) return known
    const seen = this.#parts.seenRate(key)
    return seen === undefined ? now : seen.at + seen.resetMs
  }

  #readSlot({ key, limit }: Slot): SlotReading {
    const used = this.#used.get(key) ?? 0
    let most = this.#limits.get(key)
    if (most === undefined) {
      const others = Math.max(0, (this.#parts.seenUsed(key) ?? used) - used)
      most = Math.max(used, used + Math.floor((limit - used - others) / this.#parts.nodes))
      this.#limits.set(key, most)
    }
    return { used, isFull: used >= Math.min(most, limit) }
  }

  #count(slot: string, by: number): void {
    this.#used.set(slot, (this.#used.get(slot) ?? 0) + by)
  }
}
