import type { Journal, JournalEntry } from '../../core/model/journal.ts'
import type { Charge, SharedState, Spent } from '../../core/model/shared/state.ts'
import { type CallPacker, createCallPacker } from '../../ledger/call-packer.ts'
import type { Peer } from '../../state/primary/peer.ts'

/**
 * What a worker writes: lines of the journal, and what calls add to counters. The primary applies both in one step.
 * While one message is on its way, the next collects everything new: a busier worker sends fewer messages per call.
 */
export interface Commits {
  readonly journal: Journal
  readonly charge: SharedState['charge']
  /** Not before the call's lines: a worker that dies between both would have spent what no record shows. */
  readonly settle: SharedState['settle']
}

/** The content of one message. */
export type Commit = {
  /** The entries other than calls. */
  readonly entries: readonly JournalEntry[]
  readonly calls: ReturnType<CallPacker['take']> | undefined
  readonly charges: readonly Spent[]
  readonly settlements: readonly Settlement[]
}

type Settlement = { readonly hold: string; readonly charges: readonly Charge[] }

export function createCommits(primary: Peer): Commits {
  return new GatheredCommits(primary)
}

type Sum = { readonly counter: string; spentNanoUsd: number }

class GatheredCommits implements Commits {
  readonly #primary: Peer
  readonly #calls = createCallPacker()
  #entries: JournalEntry[] = []
  #sums = new Map<string, Sum>()
  #settlements: Settlement[] = []
  /** Settles once the collected entries are safe. */
  #next: PromiseWithResolvers<void> | undefined
  #isOnItsWay = false
  #isDue = false
  #takesHolds = true

  constructor(primary: Peer) {
    this.#primary = primary
  }

  readonly journal: Journal = Object.defineProperty(
    {
      append: (entry: JournalEntry) => {
        if (entry.type === 'call') this.#calls.add(entry)
        else this.#entries.push(entry)
        this.#due()
      },
      written: () => this.#safe(),
      durable: () => this.#safe(),
      takesHolds: true,
    },
    'takesHolds',
    { get: () => this.#takesHolds },
  )

  readonly charge = (spent: readonly Spent[]): Promise<void> => {
    for (const { counter, spentNanoUsd } of spent) {
      const sum = this.#sums.get(counter)
      if (sum === undefined) this.#sums.set(counter, { counter, spentNanoUsd })
      else sum.spentNanoUsd += spentNanoUsd
    }
    this.#due()
    return this.#waiting().promise
  }

  readonly settle = (hold: string, charges: readonly Charge[]): Promise<boolean> => {
    this.#settlements.push({ hold, charges })
    this.#due()
    const settled = this.#waiting().promise.then(() => true)
    // If the primary has ended, so does this process.
    settled.catch(() => undefined)
    return settled
  }

  get #isEmpty(): boolean {
    return this.#entries.length + this.#calls.count + this.#sums.size + this.#settlements.length === 0
  }

  /** A caller waits for it, so it is sent at the end of this task, not of this turn. */
  #safe(): Promise<void> {
    if (this.#isEmpty && !this.#isOnItsWay) return Promise.resolve()
    queueMicrotask(() => this.#send())
    return this.#waiting().promise
  }

  #waiting(): PromiseWithResolvers<void> {
    this.#next ??= Promise.withResolvers()
    return this.#next
  }

  #due(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#send())
  }

  #send(): void {
    this.#isDue = false
    if (this.#isOnItsWay || (this.#isEmpty && this.#next === undefined)) return
    const commit: Commit = {
      entries: this.#entries,
      calls: this.#calls.count > 0 ? this.#calls.take() : undefined,
      charges: [...this.#sums.values()],
      settlements: this.#settlements,
    }
    const waiting = this.#next
    this.#entries = []
    this.#sums = new Map()
    this.#settlements = []
    this.#next = undefined
    this.#isOnItsWay = true
    const sent = this.#primary.ask('commit', commit)
    this.#primary.hurry()
    const over = () => {
      this.#isOnItsWay = false
      this.#send()
    }
    sent.then(
      (takesHolds) => {
        this.#takesHolds = takesHolds === true
        waiting?.resolve()
        over()
      },
      (thrown: unknown) => {
        waiting?.promise.catch(() => undefined)
        waiting?.reject(thrown)
      },
    )
  }
}
