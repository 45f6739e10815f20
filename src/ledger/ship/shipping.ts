import { setTimeout } from 'node:timers/promises'
import { isMoneyLine } from '../journal/money-line.ts'
import { batchOf, unknownLines } from '../store/batch.ts'
import { dayMs } from '../store/rollup.ts'
import type { Store } from '../store/store.ts'
import type { ShipperData, ShipperNews } from './messages.ts'
import { openTail, type Tail } from './tail.ts'

/** Ships a journal to a store in batches. Failures are reported and retried. */
export interface Shipping {
  /** Resolves when it has finished. */
  run(): Promise<void>
  /** Ships at once, without waiting for the next look. */
  wake(): void
  /** Ends when everything is shipped, or at the first failure: the next start ships the rest. */
  finish(): void
}

export type ShippingParts = {
  readonly data: Omit<ShipperData, 'store'>
  readonly openStore: () => Store
  readonly tell: (news: ShipperNews) => void
}

export function createShipping(parts: ShippingParts): Shipping {
  return new JournalShipping(parts)
}

class JournalShipping implements Shipping {
  readonly #parts: ShippingParts
  #finishing = false
  #waking = Promise.withResolvers<void>()
  #backoffMs = leastBackoffMs
  #pruneAt = 0
  #rollUpAt = 0
  #checkAt = 0
  #isUnknown = false
  #damage: Tail['damage'] = { bytes: 0, segments: 0 }

  constructor(parts: ShippingParts) {
    this.#parts = parts
  }

  wake(): void {
    this.#waking.resolve()
  }

  finish(): void {
    this.#finishing = true
    this.#waking.resolve()
  }

  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#shipAll()
        return
      } catch (thrown) {
        this.#parts.tell({ what: 'failed', reason: reasonOf(thrown) })
        if (this.#finishing) return
        await this.#pause(this.#backoffMs)
        this.#backoffMs = Math.min(this.#backoffMs * 2, mostBackoffMs)
      }
    }
  }

  async #shipAll(): Promise<void> {
    const { data, openStore, tell } = this.#parts
    await using store = openStore()
    const migrated = await store.migrate()
    const from = await store.position(data.node)
    tell({ what: 'opened', migrated, from })
    await using tail = openTail(data.journalDirectory, from)
    // It may have calls of this journal without its position: under another name of the node, or from a backup.
    this.#isUnknown = from === undefined
    let isCurrent = false
    for (;;) {
      const isLast = this.#finishing
      const isShipped = await this.#shipNext(store, tail)
      this.#backoffMs = leastBackoffMs
      if (isShipped) continue
      this.#isUnknown = false
      if (!isCurrent) tell({ what: 'current', at: tail.position })
      isCurrent = true
      if (isLast) return
      await this.#pruneInTime(store)
      if (await this.#rollUpInTime(store)) await this.#pause(lookEveryMs)
    }
  }

  async #shipNext(store: Store, tail: Tail): Promise<boolean> {
    const { data, tell } = this.#parts
    const before = tail.position
    const lines = await tail.next()
    this.#reportDamage(tail)
    if (lines.length === 0 && tail.position.segment === before.segment) return false
    const kept = store.isShared ? lines : lines.filter(({ text }) => !isMoneyLine(text))
    const added = this.#isUnknown ? await unknownLines(kept, (calls) => store.known(calls)) : kept
    const batch = { ...batchOf(added, tail.position), to: lines.at(-1)?.end ?? tail.position }
    await store.write(data.node, batch)
    tell({ what: 'shipped', to: batch.to, calls: batch.calls.length, lastAt: batch.lastAt })
    return true
  }

  #reportDamage({ damage }: Tail): void {
    if (damage.bytes === this.#damage.bytes && damage.segments === this.#damage.segments) return
    this.#damage = damage
    this.#parts.tell({ what: 'damaged', ...damage })
  }

  async #pruneInTime(store: Store): Promise<void> {
    const now = Date.now()
    if (now < this.#pruneAt) return
    const { keepCallsDays, keepRollupsDays } = this.#parts.data
    const before = (days: number) => now - days * dayMs
    const isDone = await store.prune({ calls: before(keepCallsDays), rollups: before(keepRollupsDays) })
    this.#pruneAt = now + (isDone ? pruneEveryMs : 0)
  }

  /** False: there is more to do, after shipping what was written meanwhile. */
  async #rollUpInTime(store: Store): Promise<boolean> {
    const now = Date.now()
    if (now < this.#rollUpAt) return true
    if (now >= this.#checkAt) {
      await store.checkSummaries()
      this.#checkAt = now + checkEveryMs
    }
    const isDone = await store.rollUp(now - lateMs)
    if (isDone) this.#rollUpAt = now + rollUpEveryMs
    return isDone
  }

  async #pause(ms: number): Promise<void> {
    const timer = new AbortController()
    await Promise.race([
      this.#waking.promise,
      setTimeout(ms, undefined, { signal: timer.signal }).catch(() => undefined),
    ])
    timer.abort()
    if (!this.#finishing) this.#waking = Promise.withResolvers()
  }
}

/** Larger batches cost less per call. Readers that need current data wake the thread. */
const lookEveryMs = 1000
const pruneEveryMs = 3_600_000
const rollUpEveryMs = 60_000
const checkEveryMs = 86_400_000
/**
 * Calls are written when they end, under the hour in which they began. After this time, most calls of an hour are
 * written.
 */
const lateMs = 600_000
const leastBackoffMs = 100
const mostBackoffMs = 5000

/** The reason of a failure. A database's message is not repeated, because it may quote its input. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown'
  const code = 'code' in thrown ? String(thrown.code) : thrown.name
  return code === 'ERR_SQLITE_ERROR' || code === thrown.name
    ? `${code}: ${thrown.message.slice(0, 200)}`
    : code
}
