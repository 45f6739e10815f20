/** A shared resource that its first users cannot use up alone. */
export interface SharedRoom {
  /** Whether this one may take so much more now. */
  hasRoomFor(who: string, amount: number): boolean
  take(who: string, amount: number): void
  give(who: string, amount: number): void
  usedBy(who: string): number
  readonly used: number
}

/**
 * A single user may have all but a tenth. The tenth is for newcomers: each may have up to half of what is left of it,
 * and never more than an equal share of the whole, so that something is left for the next. If nothing is used at all,
 * the first may take any amount.
 */
export function createSharedRoom(size: () => number): SharedRoom {
  const byWhom = new Map<string, number>()
  let used = 0
  return {
    hasRoomFor(who, amount) {
      if (used === 0) return true
      const most = size()
      if (used + amount > most) return false
      if (used + amount <= most - Math.floor(most / 10)) return true
      const own = byWhom.get(who) ?? 0
      // Without a reserve there is nothing to share out.
      if (most < 10) return true
      const others = byWhom.size - (own > 0 ? 1 : 0)
      if (others === 0) return false
      const share = most / (others + 1)
      return own === 0 || own + amount <= Math.min(share, (own + most - used) / 2)
    },
    take(who, amount) {
      used += amount
      set(byWhom, who, (byWhom.get(who) ?? 0) + amount)
    },
    give(who, amount) {
      used -= amount
      set(byWhom, who, (byWhom.get(who) ?? 0) - amount)
    },
    usedBy: (who) => byWhom.get(who) ?? 0,
    get used() {
      return used
    },
  }
}

function set(byWhom: Map<string, number>, who: string, amount: number): void {
  if (amount > 0) byWhom.set(who, amount)
  else byWhom.delete(who)
}
