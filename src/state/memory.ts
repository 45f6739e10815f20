import type { Clock } from '../core/model/ports.ts'
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
  SharedState,
  Spent,
} from '../core/model/shared/state.ts'
import { type FullAt, readingOf, refunded, taken } from './gcra.ts'
import { createMemoryMoney, type MemoryMoney, type MoneySnapshot } from './memory-money.ts'
import { createMemoryPools } from './memory-pools.ts'

/** The shared state of a single-process gateway. Its money can be saved and restored. */
export interface MemoryState extends SharedState {
  readonly money: MemoryMoney
}

export function createMemoryState(clock: Pick<Clock, 'now'>, before?: MoneySnapshot): MemoryState {
  return new Memory(clock, createMemoryMoney(before))
}

/** No method awaits anything before it is done: each is atomic. */
class Memory implements MemoryState {
  readonly money: MemoryMoney
  readonly #clock: Pick<Clock, 'now'>
  readonly #rates = new Map<string, FullAt>()
  /** The leases with a place, by slot. */
  readonly #slots = new Map<string, Set<string>>()
  readonly #leases = new Map<string, { readonly owner: string; readonly slots: readonly string[] }>()
  readonly #pools = createMemoryPools()
  #sweepAt = sweepEvery

  constructor(clock: Pick<Clock, 'now'>, money: MemoryMoney) {
    this.#clock = clock
    this.money = money
  }

  async reserve(hold: NewHold): Promise<Reservation> {
    return this.money.reserve(hold)
  }

  async grow(holdId: string, parts: readonly HoldPart[]): Promise<Reservation> {
    return this.money.grow(holdId, parts)
  }

  async settle(holdId: string, charges: readonly Charge[]): Promise<boolean> {
    return this.money.settle(holdId, charges)
  }

  async resolve(holdId: string, costNanoUsd: number): Promise<boolean> {
    return this.money.resolve(holdId, costNanoUsd)
  }

  async charge(spent: readonly Spent[]): Promise<void> {
    this.money.charge(spent)
  }

  async read(counters: readonly string[]): Promise<readonly CounterReading[]> {
    return counters.map((counter) => this.money.read(counter))
  }

  async holdsOn(counter: string, end?: string): Promise<readonly OpenHold[]> {
    return this.money.holdsOn(counter, end)
  }

  async admit({ leaseId, owner, rates, slots }: AdmitRequest): Promise<Admittance> {
    const now = this.#clock.now()
    const before = rates.map((rate) => this.#reading(rate, rate.amount, now))
    const places = slots.map(({ key, limit }) => {
      const used = this.#slots.get(key)?.size ?? 0
      return { used, isFull: used >= limit }
    })
    if (before.some(({ retryAfterMs }) => retryAfterMs > 0) || places.some(({ isFull }) => isFull)) {
      return { isAdmitted: false, rates: before, slots: places }
    }
    for (const rate of rates)
      this.#rates.set(rate.key, taken(this.#fullAt(rate, now), rate, rate.amount, now))
    if (slots.length > 0 && !this.#leases.has(leaseId)) this.#lease(leaseId, owner, slots)
    this.#sweep(now)
    return {
      isAdmitted: true,
      rates: rates.map((rate) => this.#reading(rate, 0, now)),
      slots: places.map(({ used }) => ({ used: used + 1, isFull: false })),
    }
  }

  async refund(refunds: readonly RateAmount[]): Promise<void> {
    const now = this.#clock.now()
    for (const refund of refunds) {
      this.#rates.set(refund.key, refunded(this.#fullAt(refund, now), refund, refund.amount, now))
    }
  }

  async readRates(rates: readonly Rate[]): Promise<readonly RateReading[]> {
    const now = this.#clock.now()
    return rates.map((rate) => this.#reading(rate, 0, now))
  }

  async release(leaseId: string): Promise<void> {
    const lease = this.#leases.get(leaseId)
    if (lease === undefined) return
    this.#leases.delete(leaseId)
    for (const slot of lease.slots) {
      const places = this.#slots.get(slot)
      places?.delete(leaseId)
      if (places?.size === 0) this.#slots.delete(slot)
    }
  }

  async allot(wanted: PlacesWanted): Promise<Allotment> {
    return this.#pools.allot(wanted)
  }

  async abandon(owner: string): Promise<readonly OpenHold[]> {
    for (const [id, lease] of [...this.#leases]) if (lease.owner === owner) await this.release(id)
    this.#pools.abandon(owner)
    return this.money.abandon(owner)
  }

  #lease(leaseId: string, owner: string, slots: AdmitRequest['slots']): void {
    this.#leases.set(leaseId, { owner, slots: slots.map(({ key }) => key) })
    for (const { key } of slots) {
      const places = this.#slots.get(key)
      if (places === undefined) this.#slots.set(key, new Set([leaseId]))
      else places.add(leaseId)
    }
  }

  #fullAt({ key }: Rate, now: number): FullAt {
    return this.#rates.get(key) ?? now
  }

  #reading(rate: Rate, amount: number, now: number): RateReading {
    return readingOf(this.#fullAt(rate, now), rate, amount, now)
  }

  /** A full bucket need not be stored. */
  #sweep(now: number): void {
    if (this.#rates.size < this.#sweepAt) return
    for (const [key, fullAt] of this.#rates) if (fullAt <= now) this.#rates.delete(key)
    this.#sweepAt = Math.max(sweepEvery, this.#rates.size * 2)
  }
}

const sweepEvery = 1000
