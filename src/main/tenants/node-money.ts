import type { NodeMoney } from '../../ledger/feed/node-money.ts'
import type { ReplayedMoney } from '../../tenants/budgets/money-projection.ts'
import type { Changes } from '../../tenants/keys/changes.ts'
import type { Tenants } from '../../tenants/tenants.ts'

/** The money of this node, for the others over the same database. Undefined: it is shared elsewhere. */
export function nodeMoneyOf(
  money: ReplayedMoney | undefined,
  { lost, audit }: Pick<Tenants, 'lost' | 'audit'>,
  changes: Pick<Changes, 'settleHere' | 'settleLost'>,
): NodeMoney | undefined {
  if (money === undefined) return undefined
  return {
    takeHolds: (holds) => lost.settle(holds),
    uncertain: () => money.uncertain(),
    isUncertain: (call) => money.isUncertain(call),
    settle: (entry) => changes.settleHere(entry),
    settleLost: (entry, charges) => changes.settleLost(entry, charges),
    hasSettled: (call) => audit.hasSettled(call),
    release: (call) => lost.release(call),
  }
}
