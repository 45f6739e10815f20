import type { Projection, StateEntry } from '../../core/model/journal.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Charge, OpenHold, Spent } from '../../core/model/shared/state.ts'
import { usageOf } from '../usage.ts'
import { readCounter } from './budget.ts'
import type { Overrides, OverridesSnapshot } from './overrides.ts'
import type { WindowClock, WindowSnapshot } from './window-clock.ts'

/** The money of a state that does not outlast its process: it is rebuilt from the journal. */
export interface ReplayedMoney {
  replayHold(hold: OpenHold): void
  settle(holdId: string, charges: readonly Charge[]): boolean
  resolve(holdId: string, costNanoUsd: number): boolean
  isUncertain(holdId: string): boolean
  uncertain(): readonly string[]
  charge(spent: readonly Spent[]): void
  holds(): readonly OpenHold[]
  forget(isOver: (counter: string) => boolean): void
  snapshot(): unknown
  restore(snapshot: never): void
}

/** Spent and held amounts, additions to limits, and the newest windows. */
export function createMoneyProjection(
  money: ReplayedMoney | undefined,
  windows: WindowClock,
  overrides: Overrides,
  now: () => number,
): Projection {
  const owners = new Map<string, string>()
  const apply = (entry: StateEntry) => {
    if (entry.type === 'override') {
      overrides.add(entry)
    } else if (entry.type === 'hold') {
      owners.set(entry.id, entry.owner)
      money?.replayHold(entry)
    } else if (entry.type === 'grow') {
      const owner = owners.get(entry.id) ?? ownerIn(money, entry.id)
      if (owner !== undefined) money?.replayHold({ id: entry.id, owner, parts: entry.parts })
    } else if (entry.type === 'settle') {
      owners.delete(entry.id)
      money?.settle(entry.id, entry.charges)
    } else if (entry.type === 'resolve') {
      money?.resolve(entry.id, entry.nanoUsd)
    } else if (entry.type === 'release') {
      money?.resolve(entry.id, 0)
    }
  }
  return {
    name: 'money',
    apply,
    applyCall({ key, costNanoUsd }, startedEpochMs) {
      if (key !== undefined && costNanoUsd) money?.charge(usageOf(key, startedEpochMs, costNanoUsd))
    },
    restore(snapshot) {
      if (!isObject(snapshot)) return
      const kept = snapshot as Kept
      if (kept.money !== undefined) money?.restore(kept.money as never)
      windows.restore(kept.windows ?? [])
      overrides.restore(kept)
    },
    snapshot(): Kept {
      money?.forget((counter) => isLongOver(counter, now()))
      return {
        money: money?.snapshot(),
        windows: windows.snapshot(),
        ...overrides.snapshot(),
      }
    },
  }
}

type Kept = Partial<OverridesSnapshot> & {
  readonly money?: unknown
  readonly windows?: WindowSnapshot
}

/**
 * How many days after its begin a day, a week or a month is over, in every zone. Longer windows are kept. A settlement
 * after that begins the counter again, but no call is admitted to its window.
 */
const lasts: readonly (readonly [window: RegExp, days: number])[] = [
  [/^(\d{4}-\d{2}-\d{2})$/, 3],
  [/^week-(\d{4}-\d{2}-\d{2})$/, 9],
  [/^(\d{4}-\d{2})$/, 33],
]

function isLongOver(counter: string, now: number): boolean {
  const { window } = readCounter(counter)
  return lasts.some(([pattern, days]) => {
    const begin = pattern.exec(window)?.[1]
    return begin !== undefined && Date.parse(begin) + days * dayMs < now
  })
}

const dayMs = 86_400_000

/** Of a hold taken before the checkpoint. */
function ownerIn(money: ReplayedMoney | undefined, id: string): string | undefined {
  return money?.holds().find((hold) => hold.id === id)?.owner
}
