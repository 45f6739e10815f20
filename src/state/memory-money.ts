import { certainSpending } from '../core/model/shared/certain.ts'
import { isCounter } from '../core/model/shared/is-counter.ts'
import type {
  Blocker,
  Charge,
  CounterReading,
  HoldPart,
  NewHold,
  OpenHold,
  Reservation,
  Spent,
} from '../core/model/shared/state.ts'

/** Counters and holds of one process, as in `SharedState`: synchronous, and serializable as plain data. */
export interface MemoryMoney {
  reserve(hold: NewHold): Reservation
  grow(holdId: string, parts: readonly HoldPart[]): Reservation
  settle(holdId: string, charges: readonly Charge[]): boolean
  resolve(holdId: string, costNanoUsd: number): boolean
  isUncertain(holdId: string): boolean
  /** The settled holds that left something uncertain. */
  uncertain(): readonly string[]
  charge(spent: readonly Spent[]): void
  read(counter: string): CounterReading
  holds(): readonly OpenHold[]
  holdsOn(counter: string, end?: string): readonly OpenHold[]
  abandon(owner: string): readonly OpenHold[]
  /** Restores a hold: on each of these counters it holds this much, regardless of the limit. */
  replayHold(hold: OpenHold): void
  snapshot(): MoneySnapshot
  restore(snapshot: MoneySnapshot): void
  /** Removes counters for which `isOver` is true, unless something on them is held or uncertain. */
  forget(isOver: (counter: string) => boolean): void
}

export type MoneySnapshot = {
  readonly counters: readonly (CounterReading & { readonly counter: string })[]
  readonly holds: readonly OpenHold[]
  /** The charges of settled holds that left something uncertain. */
  readonly uncertain: readonly { readonly id: string; readonly charges: readonly Charge[] }[]
}

export function createMemoryMoney(before?: MoneySnapshot): MemoryMoney {
  return new Money(before)
}

class Money implements MemoryMoney {
  readonly #counters = new Map<string, Counter>()
  readonly #holds = new Map<string, Hold>()
  readonly #uncertain = new Map<string, readonly Charge[]>()

  constructor(before: MoneySnapshot | undefined) {
    if (before !== undefined) this.restore(before)
  }

  restore(before: MoneySnapshot): void {
    for (const { counter, ...reading } of before.counters) this.#counters.set(counter, { ...reading })
    for (const { id, owner, parts } of before.holds) {
      this.#holds.set(id, { owner, parts })
    }
    for (const { id, charges } of before.uncertain) this.#uncertain.set(id, charges)
  }

  reserve({ id, owner, parts }: NewHold): Reservation {
    if (this.#holds.has(id)) return taken
    const blockers = this.#blockers(parts)
    if (blockers.length > 0) return { isTaken: false, blockers }
    this.#holds.set(id, { owner, parts: this.#take(parts) })
    return taken
  }

  grow(holdId: string, parts: readonly HoldPart[]): Reservation {
    const hold = this.#holds.get(holdId)
    if (hold === undefined) return { isTaken: false, blockers: [] }
    const blockers = this.#blockers(parts)
    if (blockers.length > 0) return { isTaken: false, blockers }
    for (const { counter, nanoUsd } of parts)
      hold.parts = withHeld(hold, counter, heldOn(hold, counter) + nanoUsd)
    this.#take(parts)
    return taken
  }

  settle(holdId: string, charges: readonly Charge[]): boolean {
    const hold = this.#holds.get(holdId)
    if (hold === undefined) return false
    this.#holds.delete(holdId)
    for (const { counter, nanoUsd } of hold.parts) this.#counterOf(counter).heldNanoUsd -= nanoUsd
    // After a Map grows, its old table still refers to the hold until the next full collection.
    hold.parts = noParts
    for (const { counter, spentNanoUsd, uncertainNanoUsd } of charges) {
      const counted = this.#counterOf(counter)
      counted.spentNanoUsd += spentNanoUsd
      counted.uncertainNanoUsd += uncertainNanoUsd
    }
    if (charges.some(({ uncertainNanoUsd }) => uncertainNanoUsd > 0)) this.#uncertain.set(holdId, charges)
    return true
  }

  resolve(holdId: string, costNanoUsd: number): boolean {
    const charges = this.#uncertain.get(holdId)
    if (charges === undefined) return false
    this.#uncertain.delete(holdId)
    for (const { counter, uncertainNanoUsd } of charges) {
      this.#counterOf(counter).uncertainNanoUsd -= uncertainNanoUsd
    }
    this.charge(certainSpending(charges, costNanoUsd))
    return true
  }

  isUncertain(holdId: string): boolean {
    return this.#uncertain.has(holdId)
  }

  uncertain(): readonly string[] {
    return [...this.#uncertain.keys()]
  }

  charge(spent: readonly Spent[]): void {
    for (const { counter, spentNanoUsd } of spent) this.#counterOf(counter).spentNanoUsd += spentNanoUsd
  }

  read(counter: string): CounterReading {
    return { ...(this.#counters.get(counter) ?? untouched) }
  }

  holds(): readonly OpenHold[] {
    return Array.from(this.#holds, ([id, hold]) => openHold(id, hold))
  }

  holdsOn(counter: string, end?: string): readonly OpenHold[] {
    return this.holds().filter(({ parts }) => parts.some((part) => isCounter(part.counter, counter, end)))
  }

  abandon(owner: string): readonly OpenHold[] {
    const left = this.holds().filter((hold) => hold.owner === owner)
    for (const { id, parts } of left) {
      this.settle(
        id,
        parts.map(({ counter, nanoUsd }) => ({ counter, spentNanoUsd: 0, uncertainNanoUsd: nanoUsd })),
      )
    }
    return left
  }

  replayHold({ id, owner, parts }: OpenHold): void {
    const hold: Hold = this.#holds.get(id) ?? { owner, parts: noParts }
    this.#holds.set(id, hold)
    for (const { counter, nanoUsd } of parts) {
      const held = heldOn(hold, counter)
      this.#counterOf(counter).heldNanoUsd += nanoUsd - held
      hold.parts = withHeld(hold, counter, nanoUsd)
    }
  }

  snapshot(): MoneySnapshot {
    return {
      counters: Array.from(this.#counters, ([counter, reading]) => ({ counter, ...reading })),
      holds: this.holds(),
      uncertain: Array.from(this.#uncertain, ([id, charges]) => ({ id, charges })),
    }
  }

  forget(isOver: (counter: string) => boolean): void {
    for (const [counter, { heldNanoUsd, uncertainNanoUsd }] of this.#counters) {
      if (heldNanoUsd === 0 && uncertainNanoUsd === 0 && isOver(counter)) this.#counters.delete(counter)
    }
  }

  /** Counts these amounts as held. */
  #take(parts: readonly HoldPart[]): OpenHold['parts'] {
    return parts.map(({ counter, nanoUsd }) => {
      this.#counterOf(counter).heldNanoUsd += nanoUsd
      return { counter, nanoUsd }
    })
  }

  #blockers(parts: readonly HoldPart[]): readonly Blocker[] {
    const blockers: Blocker[] = []
    for (const { counter, nanoUsd: wantedNanoUsd, limitNanoUsd } of parts) {
      const reading = this.#counters.get(counter) ?? untouched
      const { spentNanoUsd, heldNanoUsd, uncertainNanoUsd } = reading
      if (spentNanoUsd + heldNanoUsd + uncertainNanoUsd + wantedNanoUsd <= limitNanoUsd) continue
      blockers.push({ counter, wantedNanoUsd, ...reading })
    }
    return blockers
  }

  #counterOf(counter: string): Counter {
    let known = this.#counters.get(counter)
    if (known === undefined) {
      known = { ...untouched }
      this.#counters.set(counter, known)
    }
    return known
  }
}

type Counter = { -readonly [Name in keyof CounterReading]: CounterReading[Name] }

type Hold = { readonly owner: string; parts: OpenHold['parts'] }

const taken: Reservation = { isTaken: true }

const untouched: CounterReading = { spentNanoUsd: 0, heldNanoUsd: 0, uncertainNanoUsd: 0 }

function openHold(id: string, { owner, parts }: Hold): OpenHold {
  return { id, owner, parts }
}

const noParts: OpenHold['parts'] = []

function heldOn({ parts }: Hold, counter: string): number {
  return parts.find((part) => part.counter === counter)?.nanoUsd ?? 0
}

function withHeld({ parts }: Hold, counter: string, nanoUsd: number): OpenHold['parts'] {
  return [...parts.filter((part) => part.counter !== counter), { counter, nanoUsd }]
}
