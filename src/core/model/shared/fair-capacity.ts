/** A bounded resource that no single user can exhaust. */
export interface FairCapacity {
  /** Whether this user may take this much more now. */
  hasRoomFor(user: string, amount: number): boolean
  take(user: string, amount: number): void
  give(user: string, amount: number): void
  usedBy(user: string): number
  readonly used: number
}

/**
 * A single user may take nine tenths. The last tenth is reserved for further users: each may take up to half of what is
 * left of it, and never more than an equal share of the whole, so that the next one finds some too. If nothing is in
 * use, the first user may take any amount.
 */
export function createFairCapacity(size: () => number): FairCapacity {
  const byUser = new Map<string, number>()
  let used = 0
  return {
    hasRoomFor(user, amount) {
      if (used === 0) return true
      const limit = size()
      if (used + amount > limit) return false
      if (used + amount <= limit - Math.floor(limit / 10)) return true
      const own = byUser.get(user) ?? 0
      // Too small to have a reserve.
      if (limit < 10) return true
      const others = byUser.size - (own > 0 ? 1 : 0)
      if (others === 0) return false
      const share = limit / (others + 1)
      return own === 0 || own + amount <= Math.min(share, (own + limit - used) / 2)
    },
    take(user, amount) {
      used += amount
      set(byUser, user, (byUser.get(user) ?? 0) + amount)
    },
    give(user, amount) {
      used -= amount
      set(byUser, user, (byUser.get(user) ?? 0) - amount)
    },
    usedBy: (user) => byUser.get(user) ?? 0,
    get used() {
      return used
    },
  }
}

function set(byUser: Map<string, number>, user: string, amount: number): void {
  if (amount > 0) byUser.set(user, amount)
  else byUser.delete(user)
}
