import { createHash } from 'node:crypto'
import type { BudgetTerms } from './settings.ts'

/** The end users of callers, as they are counted and kept. */
export interface Users {
  /** How a user is kept in records; undefined: not at all. */
  kept(user: string | undefined): string | undefined
  /** Under which name a user is counted among those of a team: of too many, the newest share one. */
  counted(team: string | undefined, user: string): string
  /** The same, without a place of their own for a user that is not counted yet. */
  known(team: string | undefined, user: string): string
  /** Makes room: what a user spent in windows that are open stays. */
  forget(kept: string): void
}

/** The one name of all that are too many. */
export const otherUser = 'other'

/** `most`: so many have a counter of their own at once. */
export function createUsers(how: () => BudgetTerms['users'], most = 100_000): Users {
  const live = new Set<string>()
  const nameOf = (user: string) => (how() === 'plain' ? user.slice(0, longest) : digestOf(user))
  // Also where none is kept: to count, something has to tell them apart.
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
