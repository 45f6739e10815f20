import { createHash } from 'node:crypto'
import type { BudgetTerms } from './settings.ts'

/** The end users of callers, as they are counted and stored. */
export interface Users {
  /** The name of a user in records. Undefined: it is not stored. */
  kept(user: string | undefined): string | undefined
  /** The name that a user of a team is counted under. If there are too many, new ones share one name. */
  counted(team: string | undefined, user: string): string
  /** The same, without creating a counter for a new user. */
  known(team: string | undefined, user: string): string
  /** Makes room. What a user spent in open windows stays. */
  forget(kept: string): void
}

/** The shared name of all users beyond the limit. */
export const otherUser = 'other'

/** At most `most` users have a counter of their own at the same time. */
export function createUsers(how: () => BudgetTerms['users'], most = 100_000): Users {
  const live = new Set<string>()
  const nameOf = (user: string) => (how() === 'plain' ? user.slice(0, longest) : digestOf(user))
  // Needed even if no name is stored: counting has to tell users apart.
  const uniqueOf = (team: string, user: string) =>
    `${team}~${how() === 'off' ? digestOf(user) : nameOf(user)}`
  return {
    kept: (user) => (user === undefined || how() === 'off' ? undefined : nameOf(user)),
    counted(team = '', user) {
      const name = uniqueOf(team, user)
      if (live.has(name)) return name
      if (live.size >= most) return `${team}~${otherUser}`
      live.add(name)
      return name
    },
    known(team = '', user) {
      const name = uniqueOf(team, user)
      return live.has(name) || live.size < most ? name : `${team}~${otherUser}`
    },
    forget(kept) {
      for (const name of live) if (name.endsWith(`~${kept}`)) live.delete(name)
    },
  }
}

const longest = 128

function digestOf(user: string): string {
  return createHash('sha256').update(user).digest('hex').slice(0, 32)
}
