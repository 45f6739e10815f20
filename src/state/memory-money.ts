import type {
  Blocker,
  Charge,
  CounterReading,
  HoldPart,
  NewHold,
  OpenHold,
  Reservation,
  Spent,
} from '../core/model/shared-state.ts'

/** Counters and holds of one process, as `SharedState` has them: synchronous, and to be kept as plain data. */
export interface MemoryMoney {
  reserve(hold: NewHold): Reservation
  grow(holdId: string, parts: readonly HoldPart[]): Reservation
  settle(holdId: string, charges: readonly Charge[]): boolean
  resolve(holdId: string, spent: readonly Spent[]): boolean
  charge(spent: readonly Spent[]): void
  read(counter: string): CounterReading
  holds(): readonly OpenHold[]
  abandon(owner: string): readonly OpenHold[]
  snapshot(): MoneySnapshot
  /** Forgets counters that `isOver`, unless something on them is held or uncertain. */
  forget(isOver: (counter: string) => boolean): void
}

export type MoneySnapshot = {
  readonly counters: readonly (CounterReading & { readonly counter: string })[]
  readonly holds: readonly OpenHold[]
  /** What settled holds left uncertain. */
  readonly uncertain: readonly { readonly id: string; readonly parts: OpenHold['parts'] }[]
}

export function createMemoryMoney(before?: MoneySnapshot): MemoryMoney {
  return new Money(before)
}

class Money implements MemoryMoney {
  readonly #counters = new Map<string, Counter>()
  readonly #holds = new Map<string, Hold>()
  readonly #uncertain = new Map<string, OpenHold['parts']>()

  constructor(before: MoneySnapshot = { counters: [], holds: [], uncertain: [] }) {
    for (const { counter, ...reading } of before.counters) this.#counters.set(counter, { ...reading })
    for (const { id, owner, parts } of before.holds) {
      this.#holds.set(id, { owner, parts: new Map(parts.map((part) => [part.counter, part.nanoUsd])) })
    }
    for (const { id, parts } of before.uncertain) this.#uncertain.set(id, parts)
  }

  reserve({ id, owner, parts }: NewHold): Reservation {
    if (this.#holds.has(id)) return { isTaken: true }
    const blockers = this.#blockers(parts)
    if (blockers.length > 0) return { isTaken: false, blockers }
    const hold: Hold = { owner, parts: new Map() }
    this.#holds.set(id, hold)
    this.#hold(hold, parts)
    return { isTaken: true }
  }

  grow(holdId: string, parts: readonly HoldPart[]): Reservation {
    const hold = this.#holds.get(holdId)
    if (hold === undefined) return { isTaken: false, blockers: [] }
    const blockers = this.#blockers(parts)
    if (blockers.length > 0) return { isTaken: false, blockers }
    this.#hold(hold, parts)
    return { isTaken: true }
  }

  settle(holdId: string, charges: readonly Charge[]): boolean {
    const hold = this.#holds.get(holdId)
    if (hold === undefined) return false
    this.#holds.delete(holdId)
    for (const [counter, nanoUsd] of hold.parts) this.#counterOf(counter).heldNanoUsd -= nanoUsd
    for (const { counter, spentNanoUsd, uncertainNanoUsd } of charges) {
      const counted = this.#counterOf(counter)
      counted.spentNanoUsd += spentNanoUsd
      counted.uncertainNanoUsd += uncertainNanoUsd
    }
    const uncertain = charges.filter(({ uncertainNanoUsd }) => uncertainNanoUsd > 0)
    if (uncertain.length > 0) {
      const parts = uncertain.map(({ counter, uncertainNanoUsd: nanoUsd }) => ({ counter, nanoUsd }))
      this.#uncertain.set(holdId, parts)
    }
    return true
  }

  resolve(holdId: string, spent: readonly Spent[]): boolean {
    const parts = this.#uncertain.get(holdId)
    if (parts === undefined) return false
    this.#uncertain.delete(holdId)
    for (const { counter, nanoUsd } of parts) this.#counterOf(counter).uncertainNanoUsd -= nanoUsd
    this.charge(spent)
    return true
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

  snapshot(): MoneySnapshot {
    return {
      counters: Array.from(this.#counters, ([counter, reading]) => ({ counter, ...reading })),
      holds: this.holds(),
      uncertain: Array.from(this.#uncertain, ([id, parts]) => ({ id, parts })),
    }
  }

  forget(isOver: (counter: string) => boolean): void {
    for (const [counter, { heldNanoUsd, uncertainNanoUsd }] of this.#counters) {
      if (heldNanoUsd === 0 && uncertainNanoUsd === 0 && isOver(counter)) this.#counters.delete(counter)
    }
  }

  #hold(hold: Hold, parts: readonly HoldPart[]): void {
    for (const { counter, nanoUsd } of parts) {
      hold.parts.set(counter, (hold.parts.get(counter) ?? 0) + nanoUsd)
      this.#counterOf(counter).heldNanoUsd += nanoUsd
    }
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

type Hold = { readonly owner: string; readonly parts: Map<string, number> }

const untouched: CounterReading = { spentNanoUsd: 0, heldNanoUsd: 0, uncertainNanoUsd: 0 }

function openHold(id: string, { owner, parts }: Hold): OpenHold {
  return { id, owner, parts: Array.from(parts, ([counter, nanoUsd]) => ({ counter, nanoUsd })) }
}
