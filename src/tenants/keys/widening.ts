import { type BudgetRule, ruleId } from '../budgets/budget.ts'
import type { TenantSettings } from '../settings.ts'
import type { Key, RateRule } from './key.ts'

/**
 * What named keys may do that they could not do before, because a budget, a limit or a list was removed: their own,
 * their team's, or the gateway's.
 */
export function widened(before: TenantSettings, after: TenantSettings): readonly string[] {
  return before.keys.flatMap((key) => {
    const now = key.name === '' ? undefined : after.keys.find(({ id }) => id === key.id)
    if (now === undefined) return []
    const left = rulesOf(now, after)
    return rulesOf(key, before).flatMap((rules, at) =>
      lostOf(rules, left[at] ?? rules).map((what) => `the key ${JSON.stringify(key.name)} loses ${what}`),
    )
  })
}

type Rules = {
  readonly whose: string
  readonly budgets: readonly BudgetRule[]
  readonly rates: RateRule
  readonly models: readonly string[]
  readonly providers: readonly string[]
}

/** All that apply to a key, by who has them. */
function rulesOf(key: Key, { teams, budgets, rates }: TenantSettings): readonly Rules[] {
  const team = teams.find(({ id }) => id === key.team)
  return [
    { ...key, whose: 'its' },
    { ...(team ?? none), whose: "its team's" },
    { ...none, budgets, rates, whose: "the gateway's" },
  ]
}

const none = { budgets: [], rates: {}, models: [], providers: [] }

function lostOf(before: Rules, now: Rules): readonly string[] {
  const { whose } = before
  const left = new Set(now.budgets.map(ruleId))
  const budgets = before.budgets.filter((rule) => !left.has(ruleId(rule)))
  return [
    ...budgets.map(({ name, window }) => `${whose} budget ${name ?? window}`),
    ...(['rpm', 'tpm', 'concurrency'] as const)
      .filter((rate) => before.rates[rate] !== undefined && now.rates[rate] === undefined)
      .map((rate) => `${whose} ${rate}`),
    ...(['models', 'providers'] as const)
      .filter((list) => before[list].length > 0 && now[list].length === 0)
      .map((list) => `${whose} ${list}`),
  ]
}
