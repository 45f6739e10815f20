import type {
  Blocker,
  Charge,
  CounterReading,
  HoldPart,
  NewHold,
  OpenHold,
  Reservation,
} from '../../core/model/shared/state.ts'
import { createMemoryMoney } from '../memory-money.ts'
import { chargesStep, type Step } from './outbox.ts'

/** Money of one node while Redis is unavailable: it spends only what it leased before. */
export interface LocalMoney {
  reserve(hold: NewHold): Reservation
  /** For holds of both kinds: known to Redis, and taken here. */
  grow(holdId: string, parts: readonly HoldPart[]): Reservation
  /** Returns what to report: charges if the cost is certain, else a step. */
  settle(holdId: string, charges: readonly Charge[]): LocalSettlement
  read(counter: string): CounterReading
  holds(): readonly OpenHold[]
  /** The holds that continue, and the part of each that is leased. */
  readonly spentNanoUsd: number
}

export type LocalSettlement = {
  readonly isOpen: boolean
  readonly charges: readonly Charge[]
  readonly step?: Step
}

export type LocalMoneyParts = {
  /** The size of a counter's slice; Infinity without a limit. */
  readonly sliceOf: (counter: string) => number
  /** The node's holds, as in Redis. */
  readonly known: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly owner: string
  /** The last known state of a counter. */
  readonly seen: (counter: string) => CounterReading
}

export function createLocalMoney(parts: LocalMoneyParts): LocalMoney {
  return new Slices(parts)
}

class Slices implements LocalMoney {
  readonly #parts: LocalMoneyParts
  readonly #money = createMemoryMoney()
  spentNanoUsd = 0

  constructor(parts: LocalMoneyParts) {
    this.#parts = parts
  }

  reserve(hold: NewHold): Reservation {
    return this.#withRestAsHeld(this.#money.reserve({ ...hold, parts: this.#within(hold.parts) }), hold.parts)
  }

  grow(holdId: string, parts: readonly HoldPart[]): Reservation {
    if (this.#parts.known.has(holdId)) {
      this.#money.reserve({ id: holdId, owner: this.#parts.owner, parts: [] })
    }
    return this.#withRestAsHeld(this.#money.grow(holdId, this.#within(parts)), parts)
  }

  settle(holdId: string, charges: readonly Charge[]): LocalSettlement {
    const known = this.#parts.known.get(holdId)
    for (const { spentNanoUsd } of charges) this.spentNanoUsd += spentNanoUsd
    if (known !== undefined) {
      this.#money.settle(
        holdId,
        charges.map((charge) => beyond(charge, known.get(charge.counter) ?? 0)),
      )
      return { isOpen: true, charges: [], step: chargesStep('T', holdId, charges) }
    }
    if (!this.#money.settle(holdId, charges)) return { isOpen: false, charges: [] }
    const isCertain = charges.every(({ uncertainNanoUsd }) => uncertainNanoUsd === 0)
    if (isCertain) return { isOpen: true, charges }
    return { isOpen: true, charges: [], step: chargesStep('K', holdId, charges) }
  }

  read(counter: string): CounterReading {
    return this.#money.read(counter)
  }

  holds(): readonly OpenHold[] {
    return this.#money.holds()
  }

  #within(parts: readonly HoldPart[]): readonly HoldPart[] {
    return parts.map(({ counter, nanoUsd }) => {
      return { counter, nanoUsd, limitNanoUsd: this.#parts.sliceOf(counter) }
    })
  }

  /** Other nodes may spend the rest of a limit: here it counts as held. */
  #withRestAsHeld(reservation: Reservation, parts: readonly HoldPart[]): Reservation {
    if (reservation.isTaken) return reservation
    const blockers = reservation.blockers.map((blocker): Blocker => {
      const limit = parts.find(({ counter }) => counter === blocker.counter)?.limitNanoUsd ?? 0
      const seen = this.#parts.seen(blocker.counter)
      const spentNanoUsd = seen.spentNanoUsd + blocker.spentNanoUsd
      const uncertainNanoUsd = seen.uncertainNanoUsd + blocker.uncertainNanoUsd
      const used = blocker.spentNanoUsd + blocker.heldNanoUsd + blocker.uncertainNanoUsd
      const room = Math.max(0, this.#parts.sliceOf(blocker.counter) - used)
      const heldNanoUsd = Math.max(blocker.heldNanoUsd, limit - spentNanoUsd - uncertainNanoUsd - room)
      return { ...blocker, spentNanoUsd, uncertainNanoUsd, heldNanoUsd }
    })
    return { isTaken: false, blockers }
  }
}

/** The part of a charge above its hold. */
function beyond({ counter, spentNanoUsd, uncertainNanoUsd }: Charge, held: number): Charge {
  const spent = Math.max(0, spentNanoUsd - held)
  const left = Math.max(0, held - spentNanoUsd)
  return { counter, spentNanoUsd: spent, uncertainNanoUsd: Math.max(0, uncertainNanoUsd - left) }
}
