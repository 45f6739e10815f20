import { randomBytes } from 'node:crypto'
import type { Clock } from '../core/model/ports.ts'
import type { SharedBus } from '../core/model/shared-bus.ts'
import type { SharedShelf } from '../core/model/shared-shelf.ts'
import type { SharedState } from '../core/model/shared-state.ts'
import { createMemoryState } from '../state/memory.ts'
import { createMemoryBus } from '../state/memory-bus.ts'
import { createMemoryShelf } from '../state/memory-shelf.ts'
import type { ReplayedMoney } from '../tenants/budgets/money-projection.ts'

/** What the processes of one gateway share, and by which name this one is known among them. */
export type Shared = AsyncDisposable & {
  readonly state: SharedState
  readonly shelf: SharedShelf
  readonly bus: SharedBus
  /** What of the state is rebuilt from this process's journal; undefined: it outlasts the process by itself. */
  readonly money: ReplayedMoney | undefined
  /** This process. */
  readonly owner: string
}

/** The one place that picks what is shared over: so far, every gateway is one process. */
export async function openShared(clock: Clock): Promise<Shared> {
  const state = createMemoryState(clock)
  return {
    state,
    shelf: createMemoryShelf(clock),
    bus: createMemoryBus(),
    money: state.money,
    owner: `node-${randomBytes(8).toString('hex')}`,
    async [Symbol.asyncDispose]() {},
  }
}
