import type { Reply } from './connection.ts'
import type { NodeView } from './node-view.ts'
import { numbersOf } from './replies.ts'
import type { Slices } from './slices.ts'

/** What a node leases of budgets, to spend it while Redis is unavailable. */
export interface Leases {
  /** Leases again for all budgets in use, and reads what is spent of them. Rejects if Redis is lost. */
  renew(nodes: number): Promise<void>
  /**
   * Asks all nodes, including this one, to give back their leases of these counters. False if that failed a moment ago,
   * because the node with the lease does not respond.
   */
  recall(counters: readonly string[]): boolean
  /** Gives back the leases of this node, and takes none for a while. */
  giveBack(counters: readonly string[]): Promise<void>
}

export type LeasesParts = {
  /** Runs the lease script. */
  readonly act: (args: readonly (string | number)[]) => Promise<Reply>
  readonly slices: Slices
  readonly view: Pick<NodeView, 'noteCounter'>
  readonly now: () => number
  readonly keepMs: (counter: string) => number
  /** The share of a limit that may be leased, over all nodes. Undefined: this node leases nothing. */
  readonly leasePart: number | undefined
  readonly askOthers: (counters: readonly string[]) => void
}

export function createLeases(parts: LeasesParts): Leases {
  const { act, slices, view, now, keepMs, leasePart, askOthers } = parts
  const recalledAt = new Map<string, number>()
  const end = async (counters: readonly string[]) => {
    const leased = counters.filter((counter) => slices.of(counter) > 0)
    if (leased.length === 0) return
    for (const counter of leased) slices.set(counter, 0)
    const args = leased.flatMap((counter) => [counter, 0, 0, 0, 0])
    await act([0, 1, ...args]).catch(() => {})
  }
  const giveBack = async (counters: readonly string[]) => {
    for (const counter of counters) slices.withhold(counter)
    await end(counters)
  }
  return {
    giveBack,
    async renew(nodes) {
      const wanted = leasePart === undefined ? [] : slices.wanted()
      if (leasePart === undefined || wanted.length === 0) return
      const args = wanted.flatMap(({ counter, limitNanoUsd, leastNanoUsd }) => [
        ...[counter, limitNanoUsd, leastNanoUsd, keepMs(counter), slices.of(counter)],
      ])
      const numbers = numbersOf(await act([leasePart, nodes, ...args]))
      for (const [at, { counter }] of wanted.entries()) {
        const [slice = 0, s = 0, m = 0, u = 0] = numbers.slice(4 * at, 4 * at + 4)
        slices.set(counter, slice)
        view.noteCounter(counter, { s, m, u })
      }
      // Other nodes asked for them before they arrived here.
      const recalled = wanted.filter(
        ({ counter, leastNanoUsd }) => leastNanoUsd > 0 && slices.isWithheld(counter),
      )
      await end(recalled.map(({ counter }) => counter))
    },
    recall(counters) {
      const at = now()
      if (recalledAt.size > 1000) recalledAt.clear()
      const recalled = counters.filter((counter) => {
        const known = recalledAt.get(counter)
        if (known === undefined || at - known > pauseMs + waitMs) recalledAt.set(counter, at)
        return at - (recalledAt.get(counter) ?? at) < waitMs
      })
      if (recalled.length === 0) return false
      void giveBack(recalled)
      askOthers(recalled)
      return true
    },
  }
}

/** A live node returns leases within some milliseconds. For a dead one, calls wait only occasionally. */
const waitMs = 500
const pauseMs = 5000
