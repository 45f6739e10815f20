import type { ResolveEntry, SettledPart } from '../../core/model/journal.ts'
import { certainSpending } from '../../core/model/shared/certain.ts'
import type { Charge, OpenHold } from '../../core/model/shared/state.ts'
import type { Desk } from '../desk.ts'

/** The money of calls that a node which is gone took or left, where each node counts its own. */
export interface LostMoney {
  /** Settles the holds of a node that is gone as uncertain, in full. */
  settle(holds: readonly OpenHold[]): Promise<void>
  /** Charges here what a call of a node that is gone cost in the end. `charges` are those that were uncertain. */
  charge(entry: ResolveEntry, charges: readonly Charge[]): Promise<void>
  /** Ends what is uncertain of a call here, without a cost: another node counts it. */
  release(call: string): Promise<void>
}

export function createLostMoney(desk: Desk): LostMoney {
  return {
    async settle(holds) {
      const { state, journal, clock } = desk
      for (const { id, owner, parts } of holds) {
        const at = clock.epochMs()
        const charges = uncertainOf(parts)
        // Its hold is allowed to exceed limits: it was admitted there.
        const held = parts.map((part) => ({ ...part, limitNanoUsd: Number.MAX_SAFE_INTEGER }))
        await state.reserve({ id, owner, parts: held })
        journal.append({ type: 'hold', id, at, owner, parts, until: at })
        journal.append({ type: 'settle', id, at, charges, reason: 'expired' })
        await state.settle(id, charges)
      }
    },
    async charge({ id, nanoUsd }, charges) {
      const { state, journal, clock, owner } = desk
      const spent = certainSpending(charges, nanoUsd)
      if (spent.length === 0) return
      const at = clock.epochMs()
      const parts = spent.map(({ counter }) => ({ counter, nanoUsd: 0 }))
      const settled = spent.map((one) => ({ ...one, uncertainNanoUsd: 0 }))
      journal.append({ type: 'hold', id, at, owner, parts, until: at })
      journal.append({ type: 'settle', id, at, charges: settled, reason: 'expired' })
      await state.charge(spent)
    },
    async release(call) {
      if (await desk.state.resolve(call, 0))
        desk.journal.append({ type: 'release', id: call, at: desk.clock.epochMs() })
    },
  }
}

/** What was held, as uncertain. */
export function uncertainOf(parts: OpenHold['parts']): readonly SettledPart[] {
  return parts.map(({ counter, nanoUsd }) => ({ counter, spentNanoUsd: 0, uncertainNanoUsd: nanoUsd }))
}
