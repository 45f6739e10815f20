import { createHash } from 'node:crypto'
import { namePart } from './budgets/name-part.ts'
import type { BudgetTerms } from './settings.ts'

/** The end users of callers, as they are counted and stored. */
export interface Users {
  /** The name of a user in records. Undefined: it is not stored. */
  kept(user: string | undefined): string | undefined
  /**
   * The name that a user of a team is counted under, in a window that ends at `untilMs`. If too many have a counter in
   * open windows, new ones share one name.
   */
  counted(team: string | undefined, user: string, untilMs: number): string
  /** The same, without creating a counter for a new user. */
  known(team: string | undefined, user: string): string
  /** Makes room. What a user spent in open windows stays. */
  forget(kept: string): void
}

export type UsersParts = {
  readonly how: () => BudgetTerms['users']
  readonly now: () => number
  /** How many have a counter of their own at the same time. */
  readonly most?: number
}

/** The end of the shared name of all users beyond the limit. No user has it: a user's name has no separator. */
export const otherUser = '~other'

export function createUsers({ how, now, most = 100_000 }: UsersParts): Users {
  /** When the last window ends in which they have a counter. */
  const live = new Map<string, number>()
  let nextEndMs = Number.POSITIVE_INFINITY
  const nameOf = (user: string) => (how() === 'plain' ? plainName(user) : digestOf(user))
  // Needed even if no name is stored: counting has to tell users apart.
  const uniqueOf = (team: string, user: string) =>
    `${namePart(team)}~${how() === 'off' ? digestOf(user) : namePart(nameOf(user))}`
  const isFull = () => {
    if (live.size < most) return false
    if (nextEndMs <= now()) sweep()
    return live.size >= most
  }
  const sweep = () => {
    nextEndMs = Number.POSITIVE_INFINITY
    for (const [name, untilMs] of live) {
      if (untilMs <= now()) live.delete(name)
      else nextEndMs = Math.min(nextEndMs, untilMs)
    }
  }
  return {
    kept: (user) => (user === undefined || how() === 'off' ? undefined : nameOf(user)),
    counted(team = '', user, untilMs) {
      const name = uniqueOf(team, user)
      const until = live.get(name)
      if (until === undefined && isFull()) return `${namePart(team)}~${otherUser}`
      if (until === undefined || until < untilMs) live.set(name, untilMs)
      nextEndMs = Math.min(nextEndMs, untilMs)
      return name
    },
    known(team = '', user) {
      const name = uniqueOf(team, user)
      return live.has(name) || !isFull() ? name : `${namePart(team)}~${otherUser}`
    },
    forget(kept) {
      for (const name of live.keys()) if (name.endsWith(`~${namePart(kept)}`)) live.delete(name)
    },
  }
}

const longest = 128

/** A longer name is cut, and told from others that begin alike by its digest. */
function plainName(user: string): string {
  if (user.length <= longest) return user
  return `${user.slice(0, longest - 33)}-${digestOf(user)}`
}

function digestOf(user: string): string {
  return createHash('sha256').update(user).digest('hex').slice(0, 32)
}
